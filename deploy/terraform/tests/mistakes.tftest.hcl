# Mistakes that AWS would tell of late, or never: each is caught in the plan, by the variable that it is in.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  domains = {
    "example.com" = { route53 = { zone_id = "Z1" } }
  }
  alias_map = { "shop@example.com" = ["jane@example.net"] }
  package = {
    file         = "tests/package.txt"
    architecture = "arm64"
  }
}

run "no_domain" {
  command = plan

  variables {
    domains = {}
  }

  expect_failures = [var.domains]
}

run "a_domain_in_upper_case" {
  command = plan

  variables {
    domains = { "Example.com" = {} }
  }

  expect_failures = [var.domains]
}

run "a_domain_with_a_final_dot" {
  command = plan

  variables {
    domains = { "example.com." = {} }
  }

  expect_failures = [var.domains]
}

run "a_record_that_is_none" {
  command = plan

  variables {
    domains = { "example.com" = { route53 = { zone_id = "Z1", records = ["spf"] } } }
  }

  expect_failures = [var.domains]
}

run "an_identity_that_does_not_cover" {
  command = plan

  variables {
    domains = { "example.com" = { identity = "ample.com", verified = true } }
  }

  expect_failures = [var.domains]
}

run "mail_from_of_a_foreign_identity" {
  command = plan

  variables {
    domains = { "example.com" = { identity = "example.com", mail_from = "bounce" } }
  }

  expect_failures = [var.domains]
}

run "mail_from_with_its_domain" {
  command = plan

  variables {
    domains = { "example.com" = { mail_from = "bounce.example.com", verified = true } }
  }

  expect_failures = [var.domains]
}

run "dmarc_that_is_none" {
  command = plan

  variables {
    domains = { "example.com" = { dmarc = "p=none", verified = true } }
  }

  expect_failures = [var.domains]
}

run "an_mx_priority_out_of_range" {
  command = plan

  variables {
    domains = { "example.com" = { mx_priority = 65536, verified = true } }
  }

  expect_failures = [var.domains]
}

run "an_architecture" {
  command = plan

  variables {
    package = { file = "tests/package.txt", architecture = "amd64" }
  }

  expect_failures = [var.package]
}

run "no_package" {
  command = plan

  variables {
    package = { architecture = "arm64" }
  }

  expect_failures = [var.package]
}

run "two_packages" {
  command = plan

  variables {
    package = { architecture = "arm64", file = "tests/package.txt", s3_bucket = "artifacts", s3_key = "bootstrap.zip" }
  }

  expect_failures = [var.package]
}

run "half_a_package" {
  command = plan

  variables {
    package = { architecture = "arm64", s3_bucket = "artifacts" }
  }

  expect_failures = [var.package]
}

run "a_map_that_is_a_list" {
  command = plan

  variables {
    alias_map = ["jane@example.net"]
  }

  expect_failures = [var.alias_map]
}

run "a_map_that_is_empty" {
  command = plan

  variables {
    alias_map = {}
  }

  expect_failures = [var.alias_map]
}

run "a_map_with_a_key_in_brackets" {
  command = plan

  variables {
    alias_map = { "<shop@example.com>" = "jane@example.net" }
  }

  expect_failures = [var.alias_map]
}

run "a_map_with_a_key_without_domain" {
  command = plan

  variables {
    alias_map = { "shop@" = "jane@example.net" }
  }

  expect_failures = [var.alias_map]
}

run "a_map_for_another_domain" {
  command = plan

  variables {
    alias_map = { "shop@example.org" = "jane@example.net" }
  }

  expect_failures = [var.alias_map]
}

run "a_map_for_a_subdomain" {
  command = plan

  variables {
    alias_map = { "shop@sub.example.com" = "jane@example.net" }
  }

  expect_failures = [var.alias_map]
}

run "a_pattern_of_domains_that_are_not_ours" {
  command = plan

  variables {
    alias_map = { "@*.example.org" = "jane@example.net" }
  }

  expect_failures = [var.alias_map]
}

run "a_key_that_is_a_path" {
  command = plan

  variables {
    alias_key_param = "/readdress/"
  }

  expect_failures = [var.alias_key_param]
}

run "a_map_with_a_domain_for_a_key" {
  command = plan

  variables {
    alias_map = { "Example.com" = "jane@example.net" }
  }

  expect_failures = [var.alias_map]
}

run "a_map_with_an_option_that_there_is_none_of" {
  command = plan

  variables {
    alias_map = { "shop@example.com" = { to = "jane@example.net", fromformat = "via" } }
  }

  expect_failures = [var.alias_map]
}

run "a_map_with_an_alias_without_target" {
  command = plan

  variables {
    alias_map = { "shop@example.com" = [] }
  }

  expect_failures = [var.alias_map]
}

run "a_map_with_an_object_without_target" {
  command = plan

  variables {
    alias_map = { "shop@example.com" = { subject_prefix = "[shop] " } }
  }

  expect_failures = [var.alias_map]
}

run "a_map_whose_target_is_none" {
  command = plan

  variables {
    alias_map = { "shop@example.com" = ["jane"] }
  }

  expect_failures = [var.alias_map]
}

run "a_map_whose_targets_are_a_sentence" {
  command = plan

  variables {
    alias_map = { "shop@example.com" = "jane@example.net, omar@example.net" }
  }

  expect_failures = [var.alias_map]
}

run "a_map_whose_value_is_a_number" {
  command = plan

  variables {
    alias_map = { "shop@example.com" = 1 }
  }

  expect_failures = [var.alias_map]
}

run "a_map_with_a_from_format" {
  command = plan

  variables {
    alias_map = { "shop@example.com" = { to = "jane@example.net", from_format = "long" } }
  }

  expect_failures = [var.alias_map]
}

run "a_map_with_a_spam" {
  command = plan

  variables {
    alias_map = { "shop@example.com" = { to = "jane@example.net", spam = "obey" } }
  }

  expect_failures = [var.alias_map]
}

run "a_map_with_a_dmarc" {
  command = plan

  variables {
    alias_map = { "shop@example.com" = { to = "jane@example.net", dmarc = "reject" } }
  }

  expect_failures = [var.alias_map]
}

run "a_map_with_a_notify" {
  command = plan

  variables {
    alias_map = { "shop@example.com" = { to = "jane@example.net", notify = "owner" } }
  }

  expect_failures = [var.alias_map]
}

run "a_map_with_a_to_header" {
  command = plan

  variables {
    alias_map = { "shop@example.com" = { to = "jane@example.net", to_header = "all" } }
  }

  expect_failures = [var.alias_map]
}

run "a_map_with_a_foreign_from_email" {
  command = plan

  variables {
    alias_map = { "shop@example.com" = { to = "jane@example.net", from_email = "shop@example.net" } }
  }

  expect_failures = [var.alias_map]
}

run "no_map" {
  command = plan

  variables {
    alias_map_param = null
    alias_map       = null
  }

  expect_failures = [var.alias_map_param]
}

run "a_parameter_with_a_space" {
  command = plan

  variables {
    alias_map_param = "/mail aliases"
  }

  expect_failures = [var.alias_map_param]
}

run "a_path_without_a_slash" {
  command = plan

  variables {
    alias_map_param = "mail/aliases"
    alias_map       = null
  }

  expect_failures = [var.alias_map_param]
}

run "the_root_of_all_parameters" {
  command = plan

  variables {
    alias_map_param = "/"
    alias_map       = null
  }

  expect_failures = [var.alias_map_param]
}

run "a_map_written_to_a_path" {
  command = plan

  variables {
    alias_map_param = "/mail/"
  }

  expect_failures = [var.alias_map_param]
}

run "a_map_written_to_s3" {
  command = plan

  variables {
    alias_map_param = "s3://configuration/aliases.json"
  }

  expect_failures = [var.alias_map_param]
}

run "alias_map_type" {
  command = plan

  variables {
    alias_map_type = "StringList"
  }

  expect_failures = [var.alias_map_type]
}

run "alias_map_ttl" {
  command = plan

  variables {
    alias_map_ttl = -1
  }

  expect_failures = [var.alias_map_ttl]
}

run "alias_map_ttl_2" {
  command = plan

  variables {
    alias_map_ttl = 1.5
  }

  expect_failures = [var.alias_map_ttl]
}

run "alias_map_kms_key_arn" {
  command = plan

  variables {
    alias_map_kms_key_arn = "alias/mail"
  }

  expect_failures = [var.alias_map_kms_key_arn]
}

run "from_format" {
  command = plan

  variables {
    from_format = "sender"
  }

  expect_failures = [var.from_format]
}

run "from_email" {
  command = plan

  variables {
    from_email = "jane@example.net"
  }

  expect_failures = [var.from_email]
}

run "from_email_2" {
  command = plan

  variables {
    from_email = "jane"
  }

  expect_failures = [var.from_email]
}

run "to_header" {
  command = plan

  variables {
    to_header = "all"
  }

  expect_failures = [var.to_header]
}

run "subject_prefix" {
  command = plan

  variables {
    subject_prefix = join("", [for n in range(101) : "é"])
  }

  expect_failures = [var.subject_prefix]
}

run "subject_prefix_2" {
  command = plan

  variables {
    subject_prefix = "a\nBcc: b"
  }

  expect_failures = [var.subject_prefix]
}

run "max_send_bytes" {
  command = plan

  variables {
    max_send_bytes = 41943041
  }

  expect_failures = [var.max_send_bytes]
}

run "max_send_bytes_2" {
  command = plan

  variables {
    max_send_bytes = 0
  }

  expect_failures = [var.max_send_bytes]
}

run "feedback_email" {
  command = plan

  variables {
    feedback_email = "jane"
  }

  expect_failures = [var.feedback_email]
}

run "email_tags" {
  command = plan

  variables {
    email_tags = { "a b" = "c" }
  }

  expect_failures = [var.email_tags]
}

run "email_tags_2" {
  command = plan

  variables {
    email_tags = { a = "b,c" }
  }

  expect_failures = [var.email_tags]
}

run "rule_set_name" {
  command = plan

  variables {
    rule_set_name = "our rules"
  }

  expect_failures = [var.rule_set_name]
}

run "recipients" {
  command = plan

  variables {
    recipients = []
  }

  expect_failures = [var.recipients]
}

run "recipients_2" {
  command = plan

  variables {
    recipients = ["shop@example.org"]
  }

  expect_failures = [var.recipients]
}

run "recipients_3" {
  command = plan

  variables {
    recipients = ["@example.com"]
  }

  expect_failures = [var.recipients]
}

run "reject_sender" {
  command = plan

  variables {
    reject_sender = "mailer-daemon@example.org"
  }

  expect_failures = [var.reject_sender]
}

run "reject_message" {
  command = plan

  variables {
    reject_message = "a\nb"
  }

  expect_failures = [var.reject_message]
}

run "tls_policy" {
  command = plan

  variables {
    tls_policy = "Required"
  }

  expect_failures = [var.tls_policy]
}

run "bucket_name" {
  command = plan

  variables {
    bucket_name = "Mail"
  }

  expect_failures = [var.bucket_name]
}

run "ledger" {
  command = plan

  variables {
    ledger = "ledger"
  }

  expect_failures = [var.ledger]
}

run "ledger_2" {
  command = plan

  variables {
    email_prefix = "ledger/mail/"
  }

  expect_failures = [var.ledger]
}

run "repair" {
  command = plan

  variables {
    repair = "all"
  }

  expect_failures = [var.repair]
}

run "an_events_topic_that_is_none" {
  command = plan

  variables {
    events_topic = { arn = "arn:aws:sqs:eu-west-1:111122223333:events" }
  }

  expect_failures = [var.events_topic]
}

run "an_events_topic_without_a_ledger" {
  command = plan

  variables {
    ledger       = "off"
    events_topic = { arn = "arn:aws:sns:eu-west-1:111122223333:events" }
  }

  expect_failures = [var.events_topic]
}

# The function writes a tag of this name itself.
run "a_tag_of_the_functions" {
  command = plan

  variables {
    email_tags = { readdress = "yes" }
  }

  expect_failures = [var.email_tags]
}

run "on_spam" {
  command = plan

  variables {
    on_spam = "drop"
  }

  expect_failures = [var.on_spam]
}

# Only a domain's DMARC policy can be obeyed.
run "on_virus" {
  command = plan

  variables {
    on_virus = "obey"
  }

  expect_failures = [var.on_virus]
}

run "on_dmarc" {
  command = plan

  variables {
    on_dmarc = "reject"
  }

  expect_failures = [var.on_dmarc]
}

run "notify" {
  command = plan

  variables {
    notify = "Jane <jane@example.net>"
  }

  expect_failures = [var.notify]
}

run "on_doubt" {
  command = plan

  variables {
    on_doubt = "drop"
  }

  expect_failures = [var.on_doubt]
}

run "email_prefix" {
  command = plan

  variables {
    email_prefix = "/inbound/"
  }

  expect_failures = [var.email_prefix]
}

run "email_prefix_2" {
  command = plan

  variables {
    email_prefix = "inbound"
  }

  expect_failures = [var.email_prefix]
}

run "email_expiration_days" {
  command = plan

  variables {
    email_expiration_days = 14
  }

  expect_failures = [var.email_expiration_days]
}

run "kms_key_arn" {
  command = plan

  variables {
    kms_key_arn = "arn:aws:kms:eu-west-1:111122223333:alias/mail"
  }

  expect_failures = [var.kms_key_arn]
}

run "name" {
  command = plan

  variables {
    name = "Readdress"
  }

  expect_failures = [var.name]
}

run "name_2" {
  command = plan

  variables {
    name = "a-name-of-more-than-thirty-two-characters"
  }

  expect_failures = [var.name]
}

run "memory_size" {
  command = plan

  variables {
    memory_size = 64
  }

  expect_failures = [var.memory_size]
}

run "timeout" {
  command = plan

  variables {
    timeout = 901
  }

  expect_failures = [var.timeout]
}

run "timeout_2" {
  command = plan

  variables {
    timeout = 5
  }

  expect_failures = [var.timeout]
}

run "reserved_concurrency" {
  command = plan

  variables {
    reserved_concurrency = -1
  }

  expect_failures = [var.reserved_concurrency]
}

run "retry_attempts" {
  command = plan

  variables {
    retry_attempts = 3
  }

  expect_failures = [var.retry_attempts]
}

run "event_age_seconds" {
  command = plan

  variables {
    event_age_seconds = 59
  }

  expect_failures = [var.event_age_seconds]
}

run "log_level" {
  command = plan

  variables {
    log_level = "ERROR"
  }

  expect_failures = [var.log_level]
}

run "log_level_2" {
  command = plan

  variables {
    log_level = "TRACE"
  }

  expect_failures = [var.log_level]
}

run "log_retention_days" {
  command = plan

  variables {
    log_retention_days = 31
  }

  expect_failures = [var.log_retention_days]
}

run "sandbox_targets" {
  command = plan

  variables {
    sandbox_targets = ["jane"]
  }

  expect_failures = [var.sandbox_targets]
}

run "suppressed_reasons" {
  command = plan

  variables {
    suppressed_reasons = ["SPAM"]
  }

  expect_failures = [var.suppressed_reasons]
}

run "delivery_tls_policy" {
  command = plan

  variables {
    delivery_tls_policy = "Require"
  }

  expect_failures = [var.delivery_tls_policy]
}

run "events_topic_arns" {
  command = plan

  variables {
    events_topic_arns = ["operator"]
  }

  expect_failures = [var.events_topic_arns]
}

run "alarm_topic_arns" {
  command = plan

  variables {
    alarm_topic_arns = ["operator"]
  }

  expect_failures = [var.alarm_topic_arns]
}

run "bounce_rate_threshold" {
  command = plan

  variables {
    bounce_rate_threshold = 5
  }

  expect_failures = [var.bounce_rate_threshold]
}

run "complaint_rate_threshold" {
  command = plan

  variables {
    complaint_rate_threshold = 0
  }

  expect_failures = [var.complaint_rate_threshold]
}

run "metrics_namespace" {
  command = plan

  variables {
    metrics_namespace = "AWS/Lambda"
  }

  expect_failures = [var.metrics_namespace]
}

run "a_set_to_join_without_a_name" {
  command = plan

  variables {
    create_rule_set = false
  }

  expect_failures = [var.rule_set_name]
}

run "after_a_rule_of_a_new_set" {
  command = plan

  variables {
    rule_after = "newsletter"
  }

  expect_failures = [var.rule_after]
}

# SES's API answers there, but mail never comes.
run "a_region_that_does_not_receive" {
  command = plan

  override_data {
    target = data.aws_region.current
    values = {
      region = "us-gov-west-1"
    }
  }

  expect_failures = [aws_ses_receipt_rule.forward]
}

run "a_region_that_has_learnt_to_receive" {
  command = plan

  variables {
    check_region = false
  }

  override_data {
    target = data.aws_region.current
    values = {
      region = "us-gov-west-1"
    }
  }

  assert {
    condition     = contains(flatten(output.dns_records[*].values), "10 inbound-smtp.us-gov-west-1.amazonaws.com")
    error_message = "the check can be left out"
  }
}

run "more_recipients_than_a_rule_has" {
  command = plan

  variables {
    alias_map = { for number in range(101) : "alias-${number}@example.com" => "jane@example.net" }
  }

  expect_failures = [aws_ses_receipt_rule.forward]
}

run "as_many_recipients_as_a_rule_has" {
  command = plan

  variables {
    alias_map = { for number in range(100) : "alias-${number}@example.com" => "jane@example.net" }
  }

  assert {
    condition     = length(aws_ses_receipt_rule.forward.recipients) == 100
    error_message = "100 fit"
  }
}

run "a_map_that_no_parameter_holds" {
  command = plan

  variables {
    alias_map  = { for number in range(300) : "alias-${number}@example.com" => "jane@example.net" }
    recipients = ["example.com"]
  }

  expect_failures = [aws_ssm_parameter.alias_map]
}
