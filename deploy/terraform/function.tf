# The function, what it may do, and where an event goes that it cannot deal with.

resource "aws_lambda_function" "forward" {
  #checkov:skip=CKV_AWS_50: no X-Ray: one function, whose log has a line for each outcome
  #checkov:skip=CKV_AWS_115: new accounts have too little concurrency to reserve any; see var.reserved_concurrency
  #checkov:skip=CKV_AWS_116: asynchronous invocations have an on-failure destination, which says more than a dead-letter queue
  #checkov:skip=CKV_AWS_117: it talks to AWS alone; in a VPC it would need a NAT gateway to reach that
  #checkov:skip=CKV_AWS_173: the environment holds names, no secrets
  #checkov:skip=CKV_AWS_272: a signing profile is the deployer's own; the release has checksums and attestations
  function_name = var.name
  description   = "Forwards mail that SES has put into ${local.bucket_name}"
  role          = aws_iam_role.function.arn

  filename          = var.package.file
  s3_bucket         = var.package.s3_bucket
  s3_key            = var.package.s3_key
  s3_object_version = var.package.s3_object_version
  source_code_hash  = var.package.file == null ? var.package.source_code_hash : filebase64sha256(var.package.file)

  runtime                        = "provided.al2023"
  handler                        = "bootstrap"
  architectures                  = [var.package.architecture]
  memory_size                    = var.memory_size
  timeout                        = var.timeout
  reserved_concurrent_executions = coalesce(var.reserved_concurrency, -1)
  tags                           = var.tags

  environment {
    # A setting that is not set is left out, so that the function's own default counts.
    variables = merge(
      var.environment,
      { for name, value in local.settings : name => value if value != null && value != "" },
      # Apart, since a plan that has yet to make the topic does not know its ARN.
      local.hears_events ? { EVENTS_TOPIC = local.events_topic_arn } : {},
    )
  }

  logging_config {
    log_group             = aws_cloudwatch_log_group.function.name
    log_format            = "JSON"
    application_log_level = var.log_level
  }

  # The role must be able to log before the first invocation, or that one leaves no trace.
  depends_on = [aws_iam_role_policy.function]
}

locals {
  settings = {
    EMAIL_BUCKET      = local.bucket_name
    EMAIL_PREFIX      = var.email_prefix
    ALIAS_MAP_PARAM   = local.alias_map_param
    ALIAS_MAP_TTL     = tostring(var.alias_map_ttl)
    ALIAS_KEY_PARAM   = var.alias_key_param
    MAX_SEND_BYTES    = tostring(var.max_send_bytes)
    FROM_FORMAT       = var.from_format
    FROM_EMAIL        = var.from_email
    TO_HEADER         = var.to_header
    SUBJECT_PREFIX    = var.subject_prefix
    CONFIGURATION_SET = aws_sesv2_configuration_set.this.configuration_set_name
    EMAIL_TAGS        = join(",", [for name, value in var.email_tags : "${name}=${value}"])
    FEEDBACK_EMAIL    = var.feedback_email
    LEDGER            = var.ledger
    ON_DOUBT          = var.on_doubt
    REPAIR            = var.repair
    ON_SPAM           = var.on_spam
    ON_VIRUS          = var.on_virus
    ON_DMARC          = var.on_dmarc
    NOTIFY            = var.notify
    METRICS_NAMESPACE = var.metrics_namespace
  }
}

resource "aws_cloudwatch_log_group" "function" {
  #checkov:skip=CKV_AWS_158: a key of one's own is var.kms_key_arn
  #checkov:skip=CKV_AWS_338: a month is enough to look into a complaint
  name              = "/aws/lambda/${var.name}"
  retention_in_days = var.log_retention_days
  kms_key_id        = var.kms_key_arn
  tags              = var.tags
}

resource "aws_lambda_permission" "ses" {
  # Of the rule's name: the permission for a new rule is made while that for the old one is there, and Lambda takes no
  # second statement of the same id.
  statement_id   = "SesInvokes-${substr(sha256(local.forward_rule_arn), 0, 8)}"
  function_name  = aws_lambda_function.forward.function_name
  action         = "lambda:InvokeFunction"
  principal      = "ses.amazonaws.com"
  source_account = local.account
  source_arn     = local.forward_rule_arn
}

resource "aws_lambda_function_event_invoke_config" "forward" {
  function_name                = aws_lambda_function.forward.function_name
  maximum_retry_attempts       = var.retry_attempts
  maximum_event_age_in_seconds = var.event_age_seconds

  destination_config {
    on_failure {
      destination = aws_sqs_queue.failed.arn
    }
  }
}

# An event in this queue is a mail that is still in the bucket and has not been forwarded.
resource "aws_sqs_queue" "failed" {
  name = local.queue_name
  # The longest there is.
  message_retention_seconds = 1209600
  kms_master_key_id         = var.kms_key_arn
  sqs_managed_sse_enabled   = var.kms_key_arn == null ? true : null
  tags                      = var.tags
}

resource "aws_sqs_queue_policy" "failed" {
  queue_url = aws_sqs_queue.failed.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "OnlyOverTls"
      Effect    = "Deny"
      Principal = "*"
      Action    = "sqs:*"
      Resource  = local.queue_arn
      Condition = { Bool = { "aws:SecureTransport" = "false" } }
    }]
  })
}

resource "aws_iam_role" "function" {
  name                 = "${var.name}-${local.region}"
  description          = "What the function ${var.name} may do"
  permissions_boundary = var.permissions_boundary
  tags                 = var.tags
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "lambda.amazonaws.com" }
      Action    = "sts:AssumeRole"
      # For functions of this account alone.
      Condition = { StringEquals = { "aws:SourceAccount" = local.account } }
    }]
  })
}

resource "aws_iam_role_policy" "function" {
  name = "forward"
  role = aws_iam_role.function.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat(
      [
        {
          Sid      = "GetMail"
          Effect   = "Allow"
          Action   = "s3:GetObject"
          Resource = "${local.bucket_arn}/${var.email_prefix}*"
        },
        local.alias_map_statement,
        {
          # SES checks the identity that covers From, which is the address's own where there is one, and the configuration
          # set; in the sandbox the target as well.
          Sid    = "Send"
          Effect = "Allow"
          Action = "ses:SendRawEmail"
          Resource = concat(
            [for identity in sort(distinct(values(local.identities))) : "${local.ses_arn}:identity/${identity}"],
            [for name in sort(keys(var.domains)) : "${local.ses_arn}:identity/*@${name}"],
            [for target in sort(var.sandbox_targets) : "${local.ses_arn}:identity/${target}"],
            [local.configuration_set_arn],
          )
          Condition = {
            StringLike = { "ses:FromAddress" = [for name in keys(var.domains) : "*@${name}"] }
            # Where bounces go: nowhere that is not ours. IfExists, since SES need not say it of a request that names nobody.
            StringLikeIfExists = {
              "ses:FeedbackAddress" = concat([for name in keys(var.domains) : "*@${name}"], compact([var.feedback_email]))
            }
          }
        },
        {
          Sid      = "Log"
          Effect   = "Allow"
          Action   = ["logs:CreateLogStream", "logs:PutLogEvents"]
          Resource = "${aws_cloudwatch_log_group.function.arn}:*"
        },
        {
          # Lambda delivers to the on-failure destination in the name of this role.
          Sid      = "QueueFailed"
          Effect   = "Allow"
          Action   = "sqs:SendMessage"
          Resource = local.queue_arn
        },
      ],
      var.alias_key_param == null ? [] : [{
        Sid      = "GetAliasKey"
        Effect   = "Allow"
        Action   = "ssm:GetParameter"
        Resource = "arn:${local.partition}:ssm:${local.region}:${local.account}:parameter/${trim(coalesce(var.alias_key_param, "/"), "/")}"
      }],
      var.ledger == "off" ? [] : [{
        Sid      = "KeepLedger"
        Effect   = "Allow"
        Action   = ["s3:GetObject", "s3:PutObject"]
        Resource = "${local.bucket_arn}/${var.ledger}*"
      }],
      # SSE-KMS of the bucket, the parameter and the queue.
      length(local.decrypt_keys) == 0 ? [] : [{
        Sid       = "Decrypt"
        Effect    = "Allow"
        Action    = "kms:Decrypt"
        Resource  = local.decrypt_keys
        Condition = { StringEquals = { "kms:ViaService" = [for service in ["s3", "sqs", "ssm"] : "${service}.${local.region}.amazonaws.com"] } }
      }],
      var.kms_key_arn == null ? [] : [{
        Sid       = "Encrypt"
        Effect    = "Allow"
        Action    = "kms:GenerateDataKey"
        Resource  = var.kms_key_arn
        Condition = { StringEquals = { "kms:ViaService" = [for service in local.encrypting : "${service}.${local.region}.amazonaws.com"] } }
      }],
    )
  })
}

locals {
  # The queue takes what failed, and S3 the ledger.
  encrypting = var.ledger == "off" ? ["sqs"] : ["s3", "sqs"]

  decrypt_keys = distinct(compact([var.kms_key_arn, var.alias_map_kms_key_arn, var.alias_key_kms_key_arn]))

  parameter_arn = "arn:${local.partition}:ssm:${local.region}:${local.account}:parameter/${trim(local.alias_map_param, "/")}"
  alias_map_statement = {
    Sid    = "GetAliasMap"
    Effect = "Allow"
    Action = (
      local.alias_map_in_s3 ? "s3:GetObject" :
      local.alias_map_path ? "ssm:GetParametersByPath" : "ssm:GetParameter"
    )
    # SSM checks a path as it was asked for, with or without the slash at its end.
    Resource = (
      local.alias_map_in_s3 ? ["arn:${local.partition}:s3:::${trimprefix(local.alias_map_param, "s3://")}"] :
      local.alias_map_path ? [local.parameter_arn, "${local.parameter_arn}/*"] : [local.parameter_arn]
    )
  }
}
