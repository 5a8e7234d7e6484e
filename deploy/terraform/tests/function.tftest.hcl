# The function, its settings, and what its role may do.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  domains = {
    "example.com" = { route53 = { zone_id = "Z1" } }
  }
  alias_map = {
    "shop@example.com" = ["jane@example.net"]
    "old@example.com"  = { enabled = false }
  }
  package = {
    file         = "tests/package.txt"
    architecture = "x86_64"
  }
}

run "defaults" {
  command = plan

  assert {
    condition = (
      aws_lambda_function.forward.runtime == "provided.al2023" && aws_lambda_function.forward.handler == "bootstrap"
      && aws_lambda_function.forward.architectures == tolist(["x86_64"]) && aws_lambda_function.forward.memory_size == 128
      && aws_lambda_function.forward.timeout == 300 && aws_lambda_function.forward.reserved_concurrent_executions == -1
    )
    error_message = "bootstrap on provided.al2023, 128 MB, 300 s, no concurrency reserved"
  }
  assert {
    condition     = aws_lambda_function.forward.source_code_hash == filebase64sha256("tests/package.txt")
    error_message = "a new zip is noticed by its hash"
  }
  # A caller makes a resource for each of them.
  assert {
    condition     = output.identities == ["example.com"]
    error_message = "the identities are not known in the plan"
  }
  assert {
    condition = aws_lambda_function.forward.environment[0].variables == tomap({
      EMAIL_BUCKET      = "readdress-111122223333-eu-west-1"
      EMAIL_PREFIX      = "inbound/"
      ALIAS_MAP_PARAM   = "/readdress/aliases"
      ALIAS_MAP_TTL     = "60"
      MAX_SEND_BYTES    = "10485760"
      FROM_FORMAT       = "full"
      TO_HEADER         = "keep"
      CONFIGURATION_SET = "readdress"
      METRICS_NAMESPACE = "readdress"
      LEDGER            = "ledger/"
      ON_DOUBT          = "resend"
      REPAIR            = "parts"
      ON_SPAM           = "mark"
      ON_VIRUS          = "hold"
      ON_DMARC          = "obey"
      NOTIFY            = "targets"
      EVENTS_TOPIC      = "arn:aws:sns:eu-west-1:111122223333:readdress-events"
    })
    error_message = "settings that are not set are left out: ${jsonencode(aws_lambda_function.forward.environment[0].variables)}"
  }
  assert {
    condition = (
      aws_lambda_function.forward.logging_config[0].log_format == "JSON"
      && aws_lambda_function.forward.logging_config[0].application_log_level == "INFO"
      && aws_lambda_function.forward.logging_config[0].log_group == aws_cloudwatch_log_group.function.name
      && aws_cloudwatch_log_group.function.retention_in_days == 30
    )
    error_message = "JSON logs at INFO, kept for a month"
  }
}

run "every_setting" {
  command = plan

  variables {
    name                  = "mail"
    email_prefix          = ""
    alias_map_param       = "aliases"
    alias_map_ttl         = 5
    max_send_bytes        = 41943040
    from_format           = "via"
    from_email            = "forwarder@example.com"
    to_header             = "alias"
    subject_prefix        = "[x] "
    feedback_email        = "bounces@example.net"
    email_tags            = { b = "2", a = "1" }
    ledger                = "off"
    on_doubt              = "hold"
    repair                = "header"
    on_spam               = "hold"
    on_virus              = "mark"
    on_dmarc              = "forward"
    notify                = "postmaster@example.org"
    metrics_namespace     = "mail/aliases"
    environment           = { RUST_BACKTRACE = "1", MAX_SEND_BYTES = "1" }
    memory_size           = 256
    timeout               = 900
    reserved_concurrency  = 0
    log_level             = "DEBUG"
    log_retention_days    = 0
    bucket_name           = "mail-of-example"
    permissions_boundary  = "arn:aws:iam::111122223333:policy/boundary"
    email_expiration_days = 15
  }

  assert {
    condition = aws_lambda_function.forward.environment[0].variables == tomap({
      EMAIL_BUCKET      = "mail-of-example"
      ALIAS_MAP_PARAM   = "aliases"
      ALIAS_MAP_TTL     = "5"
      MAX_SEND_BYTES    = "41943040"
      FROM_FORMAT       = "via"
      FROM_EMAIL        = "forwarder@example.com"
      TO_HEADER         = "alias"
      SUBJECT_PREFIX    = "[x] "
      FEEDBACK_EMAIL    = "bounces@example.net"
      EMAIL_TAGS        = "a=1,b=2"
      CONFIGURATION_SET = "mail"
      METRICS_NAMESPACE = "mail/aliases"
      LEDGER            = "off"
      ON_DOUBT          = "hold"
      REPAIR            = "header"
      ON_SPAM           = "hold"
      ON_VIRUS          = "mark"
      ON_DMARC          = "forward"
      NOTIFY            = "postmaster@example.org"
      RUST_BACKTRACE    = "1"
    })
    error_message = "every setting has its variable, and the module's own win over environment: ${jsonencode(aws_lambda_function.forward.environment[0].variables)}"
  }
  # A reservation of 0 is not the same as none: it stops the function.
  assert {
    condition     = aws_lambda_function.forward.reserved_concurrent_executions == 0
    error_message = "0 stops the function"
  }
  assert {
    condition     = aws_iam_role.function.permissions_boundary == "arn:aws:iam::111122223333:policy/boundary"
    error_message = "the role is bounded"
  }
}

run "a_package_in_s3" {
  command = plan

  variables {
    package = {
      architecture      = "arm64"
      s3_bucket         = "artifacts"
      s3_key            = "readdress/bootstrap-arm64.zip"
      s3_object_version = "v1"
      source_code_hash  = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
    }
  }

  assert {
    condition = (
      aws_lambda_function.forward.s3_bucket == "artifacts" && aws_lambda_function.forward.s3_key == "readdress/bootstrap-arm64.zip"
      && aws_lambda_function.forward.s3_object_version == "v1" && aws_lambda_function.forward.filename == null
      && aws_lambda_function.forward.source_code_hash == "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
    )
    error_message = "the zip is the object in S3"
  }
}

run "failures" {
  command = plan

  assert {
    condition = (
      aws_lambda_function_event_invoke_config.forward.maximum_retry_attempts == 2
      && aws_lambda_function_event_invoke_config.forward.maximum_event_age_in_seconds == 21600
    )
    error_message = "two retries within six hours"
  }
  assert {
    condition     = aws_sqs_queue.failed.message_retention_seconds == 1209600 && aws_sqs_queue.failed.sqs_managed_sse_enabled
    error_message = "the queue keeps events for 14 days, encrypted"
  }
  # Mail must outlast the event that tells of it.
  assert {
    condition = alltrue([
      for rule in aws_s3_bucket_lifecycle_configuration.mail.rule :
      rule.expiration[0].days * 86400 > aws_sqs_queue.failed.message_retention_seconds if rule.id == "mail"
    ])
    error_message = "mail is deleted before its event"
  }
}

run "failures_go_to_the_queue" {
  assert {
    condition     = aws_lambda_function_event_invoke_config.forward.destination_config[0].on_failure[0].destination == aws_sqs_queue.failed.arn
    error_message = "the on-failure destination is the queue"
  }
}

run "the_role" {
  assert {
    condition = jsondecode(aws_iam_role_policy.function.policy).Statement == [
      {
        Sid      = "GetMail"
        Effect   = "Allow"
        Action   = "s3:GetObject"
        Resource = "arn:aws:s3:::readdress-111122223333-eu-west-1/inbound/*"
      },
      {
        Sid      = "GetAliasMap"
        Effect   = "Allow"
        Action   = "ssm:GetParameter"
        Resource = ["arn:aws:ssm:eu-west-1:111122223333:parameter/readdress/aliases"]
      },
      {
        Sid    = "Send"
        Effect = "Allow"
        Action = "ses:SendRawEmail"
        Resource = [
          "arn:aws:ses:eu-west-1:111122223333:identity/example.com",
          # An alias that is an identity of its own.
          "arn:aws:ses:eu-west-1:111122223333:identity/*@example.com",
          "arn:aws:ses:eu-west-1:111122223333:configuration-set/readdress",
        ]
        Condition = {
          StringLike         = { "ses:FromAddress" = ["*@example.com"] }
          StringLikeIfExists = { "ses:FeedbackAddress" = ["*@example.com"] }
        }
      },
      {
        Sid      = "Log"
        Effect   = "Allow"
        Action   = ["logs:CreateLogStream", "logs:PutLogEvents"]
        Resource = "arn:aws:logs:eu-west-1:111122223333:log-group:/aws/lambda/readdress:*"
      },
      {
        Sid      = "QueueFailed"
        Effect   = "Allow"
        Action   = "sqs:SendMessage"
        Resource = "arn:aws:sqs:eu-west-1:111122223333:readdress-failed"
      },
      {
        Sid      = "KeepLedger"
        Effect   = "Allow"
        Action   = ["s3:GetObject", "s3:PutObject"]
        Resource = "arn:aws:s3:::readdress-111122223333-eu-west-1/ledger/*"
      },
    ]
    error_message = "the role may do this and nothing else: ${aws_iam_role_policy.function.policy}"
  }
  assert {
    condition     = jsondecode(aws_iam_role.function.assume_role_policy).Statement[0].Principal == { Service = "lambda.amazonaws.com" }
    error_message = "the role is Lambda's to assume"
  }
  assert {
    condition     = jsondecode(aws_iam_role.function.assume_role_policy).Statement[0].Condition == { StringEquals = { "aws:SourceAccount" = "111122223333" } }
    error_message = "the role is for functions of this account"
  }
  assert {
    condition     = issensitive(aws_ssm_parameter.alias_map[0].value)
    error_message = "plans do not show who gets the mail"
  }
}

run "the_sandbox" {
  # As a caller takes them from a sensitive alias map: the permission is all that is made of them.
  variables {
    sandbox_targets = flatten(values(sensitive({ "shop@example.com" = ["jane@example.net"] })))
  }

  # SES makes no identity twice: a target that is verified already would stop the apply.
  assert {
    condition     = keys(aws_sesv2_email_identity.domain) == ["example.com"]
    error_message = "the module makes identities of its domains alone"
  }
  # SES checks the target's identity too while the account is in the sandbox.
  assert {
    condition = contains(
      [for statement in jsondecode(nonsensitive(aws_iam_role_policy.function.policy)).Statement : statement if statement.Sid == "Send"][0].Resource,
      "arn:aws:ses:eu-west-1:111122223333:identity/jane@example.net"
    )
    error_message = "the function may send to it"
  }
}

run "a_key_of_ones_own" {
  variables {
    kms_key_arn           = "arn:aws:kms:eu-west-1:111122223333:key/mail"
    alias_map_kms_key_arn = "arn:aws:kms:eu-west-1:111122223333:key/aliases"
    alias_map_type        = "SecureString"
  }

  assert {
    condition = slice(jsondecode(aws_iam_role_policy.function.policy).Statement, 6, 8) == [
      {
        Sid      = "Decrypt"
        Effect   = "Allow"
        Action   = "kms:Decrypt"
        Resource = ["arn:aws:kms:eu-west-1:111122223333:key/mail", "arn:aws:kms:eu-west-1:111122223333:key/aliases"]
        Condition = {
          StringEquals = {
            "kms:ViaService" = ["s3.eu-west-1.amazonaws.com", "sqs.eu-west-1.amazonaws.com", "ssm.eu-west-1.amazonaws.com"]
          }
        }
      },
      {
        Sid       = "Encrypt"
        Effect    = "Allow"
        Action    = "kms:GenerateDataKey"
        Resource  = "arn:aws:kms:eu-west-1:111122223333:key/mail"
        Condition = { StringEquals = { "kms:ViaService" = ["s3.eu-west-1.amazonaws.com", "sqs.eu-west-1.amazonaws.com"] } }
      },
    ]
    error_message = "the role may use the keys: ${aws_iam_role_policy.function.policy}"
  }
  assert {
    condition = (
      one(one(aws_s3_bucket_server_side_encryption_configuration.mail.rule).apply_server_side_encryption_by_default).sse_algorithm == "aws:kms"
      && one(one(aws_s3_bucket_server_side_encryption_configuration.mail.rule).apply_server_side_encryption_by_default).kms_master_key_id == var.kms_key_arn
      && aws_sqs_queue.failed.kms_master_key_id == var.kms_key_arn
      && aws_sns_topic.events[0].kms_master_key_id == var.kms_key_arn
      && aws_cloudwatch_log_group.function.kms_key_id == var.kms_key_arn
      && aws_ssm_parameter.alias_map[0].key_id == var.kms_key_arn
    )
    error_message = "the key is that of the bucket, the queue, the topic, the log and the parameter"
  }
  # The S3 action's own key would encrypt on SES's side.
  assert {
    condition     = one(aws_ses_receipt_rule.forward.s3_action).kms_key_arn == null
    error_message = "SES encrypts nothing itself"
  }
}

run "the_alias_map" {
  command = plan

  assert {
    condition     = aws_ssm_parameter.alias_map[0].name == "/readdress/aliases" && aws_ssm_parameter.alias_map[0].type == "String"
    error_message = "the map is a String under the name of the installation"
  }
  assert {
    condition = jsondecode(nonsensitive(aws_ssm_parameter.alias_map[0].value)) == {
      "shop@example.com" = ["jane@example.net"]
      "old@example.com"  = { enabled = false }
    }
    error_message = "the map is written as it was given"
  }
}

run "a_parameter_elsewhere" {
  command = plan

  variables {
    alias_map       = null
    alias_map_param = "aliases"
  }

  override_resource {
    target          = aws_cloudwatch_log_group.function
    override_during = plan
    values          = { arn = "arn:aws:logs:eu-west-1:111122223333:log-group:/aws/lambda/readdress" }
  }

  assert {
    condition     = length(aws_ssm_parameter.alias_map) == 0 && aws_lambda_function.forward.environment[0].variables.ALIAS_MAP_PARAM == "aliases"
    error_message = "the parameter is not made, but read"
  }
  assert {
    condition     = jsondecode(aws_iam_role_policy.function.policy).Statement[1].Resource == ["arn:aws:ssm:eu-west-1:111122223333:parameter/aliases"]
    error_message = "the role may read that parameter"
  }
}

run "a_path_elsewhere" {
  command = plan

  variables {
    alias_map       = null
    alias_map_param = "/mail/aliases/"
  }

  override_resource {
    target          = aws_cloudwatch_log_group.function
    override_during = plan
    values          = { arn = "arn:aws:logs:eu-west-1:111122223333:log-group:/aws/lambda/readdress" }
  }

  assert {
    condition = jsondecode(aws_iam_role_policy.function.policy).Statement[1] == {
      Sid    = "GetAliasMap"
      Effect = "Allow"
      Action = "ssm:GetParametersByPath"
      Resource = [
        "arn:aws:ssm:eu-west-1:111122223333:parameter/mail/aliases",
        "arn:aws:ssm:eu-west-1:111122223333:parameter/mail/aliases/*",
      ]
    }
    error_message = "the role may read the path"
  }
}

run "a_key" {
  variables {
    alias_key_param       = "/mail/key"
    alias_key_kms_key_arn = "arn:aws:kms:eu-west-1:111122223333:key/abc"
  }

  assert {
    condition     = aws_lambda_function.forward.environment[0].variables.ALIAS_KEY_PARAM == "/mail/key"
    error_message = "the function is told where the key is"
  }
  assert {
    condition = length([
      for statement in jsondecode(aws_iam_role_policy.function.policy).Statement : statement
      if statement.Sid == "GetAliasKey" && statement.Action == "ssm:GetParameter"
      && statement.Resource == "arn:aws:ssm:eu-west-1:111122223333:parameter/mail/key"
    ]) == 1
    error_message = "the role may read the key, and no other parameter beside it"
  }
  assert {
    condition = [
      for statement in jsondecode(aws_iam_role_policy.function.policy).Statement : statement.Resource
      if statement.Sid == "Decrypt"
    ] == [["arn:aws:kms:eu-west-1:111122223333:key/abc"]]
    error_message = "the role may decrypt it"
  }
}

run "an_object_elsewhere" {
  command = plan

  variables {
    alias_map       = null
    alias_map_param = "s3://configuration/mail/aliases.json"
  }

  override_resource {
    target          = aws_cloudwatch_log_group.function
    override_during = plan
    values          = { arn = "arn:aws:logs:eu-west-1:111122223333:log-group:/aws/lambda/readdress" }
  }

  assert {
    condition = jsondecode(aws_iam_role_policy.function.policy).Statement[1] == {
      Sid      = "GetAliasMap"
      Effect   = "Allow"
      Action   = "s3:GetObject"
      Resource = ["arn:aws:s3:::configuration/mail/aliases.json"]
    }
    error_message = "the role may read the object"
  }
}
