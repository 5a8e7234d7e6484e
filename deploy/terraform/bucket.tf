# The bucket: SES puts mail there, the function gets it.

resource "aws_s3_bucket" "mail" {
  #checkov:skip=CKV_AWS_18: an access log tells of no mail that SES's and the function's own metrics do not tell of
  #checkov:skip=CKV_AWS_21: versions would keep mail that was to be deleted, and every state of the ledger
  #checkov:skip=CKV_AWS_144: mail lies here for some seconds until it is forwarded
  #checkov:skip=CKV_AWS_145: a key of one's own is var.kms_key_arn; AWS's own encrypts as well
  #checkov:skip=CKV2_AWS_62: SES invokes the function, not the bucket
  bucket        = local.bucket_name
  force_destroy = var.bucket_force_destroy
  tags          = var.tags
}

resource "aws_s3_bucket_public_access_block" "mail" {
  bucket = aws_s3_bucket.mail.id

  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_ownership_controls" "mail" {
  bucket = aws_s3_bucket.mail.id

  rule {
    object_ownership = "BucketOwnerEnforced"
  }
}

# On the bucket, not in the S3 action: the action's KMS option encrypts in SES before it stores, and the function would
# read that as garbage.
resource "aws_s3_bucket_server_side_encryption_configuration" "mail" {
  bucket = aws_s3_bucket.mail.id

  rule {
    bucket_key_enabled = var.kms_key_arn != null

    apply_server_side_encryption_by_default {
      sse_algorithm     = var.kms_key_arn == null ? "AES256" : "aws:kms"
      kms_master_key_id = var.kms_key_arn
    }
  }
}

# SES writes this object when the forwarding rule is made. It is Terraform's too, or `destroy` would stop at a bucket that
# never had mail. Once the lifecycle has deleted it the next apply writes it again.
resource "aws_s3_object" "setup_notification" {
  #checkov:skip=CKV_AWS_186: the bucket encrypts
  bucket  = aws_s3_bucket.mail.id
  key     = "${var.email_prefix}AMAZON_SES_SETUP_NOTIFICATION"
  content = "SES writes its own text here when the receipt rule is made.\n"

  # An object has at most ten tags.
  override_provider {
    default_tags {
      tags = {}
    }
  }

  depends_on = [
    aws_s3_bucket_policy.mail,
    aws_s3_bucket_server_side_encryption_configuration.mail,
  ]
}

resource "aws_s3_bucket_lifecycle_configuration" "mail" {
  bucket = aws_s3_bucket.mail.id

  rule {
    id     = "uploads"
    status = "Enabled"

    filter {}

    abort_incomplete_multipart_upload {
      days_after_initiation = 1
    }
  }

  dynamic "rule" {
    for_each = var.email_expiration_days[*]

    content {
      id     = "mail"
      status = "Enabled"

      filter {
        prefix = var.email_prefix
      }

      expiration {
        days = rule.value
      }
    }
  }

  # What was sent of a mail is of use as long as the mail is there.
  dynamic "rule" {
    for_each = var.ledger == "off" ? [] : var.email_expiration_days[*]

    content {
      id     = "ledger"
      status = "Enabled"

      filter {
        prefix = var.ledger
      }

      expiration {
        days = rule.value
      }
    }
  }
}

resource "aws_s3_bucket_policy" "mail" {
  bucket = aws_s3_bucket.mail.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "SesPutsMail"
        Effect    = "Allow"
        Principal = { Service = "ses.amazonaws.com" }
        Action    = "s3:PutObject"
        Resource  = "${local.bucket_arn}/${var.email_prefix}*"
        Condition = {
          StringEquals = {
            "aws:SourceAccount" = local.account
            "aws:SourceArn"     = local.forward_rule_arn
          }
        }
      },
      {
        Sid       = "OnlyOverTls"
        Effect    = "Deny"
        Principal = "*"
        Action    = "s3:*"
        Resource  = [local.bucket_arn, "${local.bucket_arn}/*"]
        Condition = { Bool = { "aws:SecureTransport" = "false" } }
      },
    ]
  })

  # S3 refuses two changes of a bucket's access at once.
  depends_on = [aws_s3_bucket_public_access_block.mail, aws_s3_bucket_ownership_controls.mail]
}
