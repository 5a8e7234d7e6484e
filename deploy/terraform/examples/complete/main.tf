# Two domains, one in a Route53 zone that is made here and one whose DNS is elsewhere; a KMS key of one's own; topics for
# alarms and for SES's events; the rules in a receipt rule set that others use too. The values are no recommendations:
# what is not set has a default that is one.

terraform {
  required_version = ">= 1.9.0"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 6.0.0, < 7.0.0"
    }
  }
}

provider "aws" {
  region = local.region
}

variable "package_file" {
  description = "The function's zip."
  type        = string
  default     = "bootstrap.zip"
}

data "aws_caller_identity" "current" {}

locals {
  name    = "aliases"
  region  = "eu-west-1"
  account = data.aws_caller_identity.current.account_id
}

resource "aws_route53_zone" "example_com" {
  name = "example.com"
}

module "aliases" {
  source = "../.."

  name = local.name

  domains = {
    "example.com" = {
      route53   = { zone_id = aws_route53_zone.example_com.zone_id }
      dmarc     = "v=DMARC1; p=quarantine; rua=mailto:postmaster@example.com"
      mail_from = "bounce"
    }
    # Its records are in the output dns_records.
    "example.org" = {}
  }

  alias_map = {
    "shop@example.com"    = ["jane@example.net", "omar@example.net"]
    "billing@example.com" = { to = ["ledger@example.net"], from_format = "via", subject_prefix = "[billing] " }
    "@example.org"        = "jane@example.net"
    "postmaster"          = "omar@example.net"
  }
  alias_map_type = "SecureString"

  package = {
    file         = var.package_file
    architecture = "arm64"
  }

  from_format    = "name"
  to_header      = "alias"
  max_send_bytes = 41943040
  timeout        = 900
  email_tags     = { installation = local.name }

  create_rule_set = false
  rule_set_name   = "inbound"
  rule_after      = "newsletter"

  email_expiration_days = 60
  kms_key_arn           = aws_kms_key.mail.arn
  reserved_concurrency  = 5
  log_retention_days    = 14

  # The policy's arn is the topic's, and comes once the policy is there: SES tries the topic when it becomes the
  # destination of events. (Not depends_on: with that a module's data sources are read late, and its bucket, whose name
  # has the account's number in it, would seem to change.)
  alarm_topic_arns  = [aws_sns_topic_policy.operator.arn]
  events_topic_arns = [aws_sns_topic_policy.operator.arn]

  tags = { service = "mail" }
}

output "dns_records" {
  description = "What the DNS of example.org must have."
  value       = module.aliases.dns_records
}

resource "aws_sns_topic" "operator" {
  name              = "${local.name}-operator"
  kms_master_key_id = aws_kms_key.mail.arn
}

resource "aws_sns_topic_policy" "operator" {
  arn = aws_sns_topic.operator.arn
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = ["cloudwatch.amazonaws.com", "ses.amazonaws.com"] }
      Action    = "sns:Publish"
      Resource  = aws_sns_topic.operator.arn
      Condition = { StringEquals = { "aws:SourceAccount" = local.account } }
    }]
  })
}

resource "aws_kms_key" "mail" {
  description         = "Mail of ${local.name} at rest"
  enable_key_rotation = true
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "Account"
        Effect    = "Allow"
        Principal = { AWS = "arn:aws:iam::${local.account}:root" }
        Action    = "kms:*"
        Resource  = "*"
      },
      {
        # SES puts mail into the bucket and publishes to the topic; alarms publish to it too.
        Sid       = "SesAndAlarms"
        Effect    = "Allow"
        Principal = { Service = ["ses.amazonaws.com", "cloudwatch.amazonaws.com"] }
        Action    = ["kms:GenerateDataKey*", "kms:Decrypt"]
        Resource  = "*"
        Condition = { StringEquals = { "aws:SourceAccount" = local.account } }
      },
      {
        Sid       = "Logs"
        Effect    = "Allow"
        Principal = { Service = "logs.${local.region}.amazonaws.com" }
        Action    = ["kms:Encrypt*", "kms:Decrypt*", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:Describe*"]
        Resource  = "*"
        Condition = {
          ArnEquals = {
            "kms:EncryptionContext:aws:logs:arn" = "arn:aws:logs:${local.region}:${local.account}:log-group:/aws/lambda/${local.name}"
          }
        }
      },
    ]
  })
}
