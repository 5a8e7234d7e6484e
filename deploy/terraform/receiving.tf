# The receipt rules: one that stores and forwards what is ours, one that bounces the rest.

resource "aws_ses_receipt_rule_set" "this" {
  count = var.create_rule_set ? 1 : 0

  rule_set_name = local.rule_set_name

  # Under another name the new set and its rules are there before the old ones go.
  lifecycle {
    create_before_destroy = true
  }
}

# The module does not activate the set. aws_ses_active_receipt_rule_set, which would, deactivates whichever set is active
# when it is destroyed, and takes the active set from any other installation at each apply. The set that an earlier
# version of this module has activated stays active.
removed {
  from = aws_ses_active_receipt_rule_set.this

  lifecycle {
    destroy = false
  }
}

check "activate_rule_set" {
  assert {
    condition     = !coalesce(var.activate_rule_set, false)
    error_message = "The module does not activate a receipt rule set any more. If ${local.rule_set_name} is not the active one, run the command of the output activate."
  }
}

resource "aws_ses_receipt_rule" "forward" {
  name          = local.forward_rule
  rule_set_name = local.rule_set_name
  after         = var.rule_after
  recipients    = local.recipients
  enabled       = true
  scan_enabled  = var.scan_enabled
  tls_policy    = var.tls_policy

  add_header_action {
    position     = 1
    header_name  = "X-SES-Forwarded-By"
    header_value = var.name
  }

  # Before the function: the mail must be there when the event is.
  s3_action {
    position          = 2
    bucket_name       = aws_s3_bucket.mail.id
    object_key_prefix = var.email_prefix == "" ? null : var.email_prefix
  }

  lambda_action {
    position        = 3
    function_arn    = aws_lambda_function.forward.arn
    invocation_type = "Event"
  }

  # Or the rule that rejects would bounce what is forwarded. It ends the message for all rules that follow, also for
  # recipients of these, so it is not there without need.
  dynamic "stop_action" {
    for_each = length(local.rejected) > 0 ? [4] : []

    content {
      position = stop_action.value
      scope    = "RuleSet"
    }
  }

  lifecycle {
    create_before_destroy = true

    precondition {
      condition     = !var.check_region || contains(local.receiving_regions, local.region)
      error_message = "SES is not known to receive mail in ${local.region}. If it does by now, set check_region to false. Known: ${join(", ", local.receiving_regions)}."
    }
    precondition {
      condition     = length(local.recipients) <= 100
      error_message = "A receipt rule has at most 100 recipients; these are ${length(local.recipients)}. Set recipients to the domains: the function then ignores what the alias map does not know."
    }
  }

  # SES tries the bucket and the function when the rule is made, and mail may come at once.
  depends_on = [
    aws_ses_receipt_rule_set.this,
    aws_s3_bucket_policy.mail,
    aws_s3_object.setup_notification,
    aws_s3_bucket_server_side_encryption_configuration.mail,
    aws_lambda_permission.ses,
    aws_lambda_function_event_invoke_config.forward,
    aws_ssm_parameter.alias_map,
  ]
}

resource "aws_ses_receipt_rule" "reject" {
  count = length(local.rejected) > 0 && local.sender_verified ? 1 : 0

  name          = "${var.name}-reject"
  rule_set_name = local.rule_set_name
  after         = aws_ses_receipt_rule.forward.name
  recipients    = local.rejected
  enabled       = true
  # What is refused need not be looked at.
  scan_enabled = false
  tls_policy   = var.tls_policy

  bounce_action {
    position        = 1
    smtp_reply_code = "550"
    status_code     = "5.1.1"
    message         = var.reject_message
    sender          = local.reject_sender
  }

  stop_action {
    position = 2
    scope    = "RuleSet"
  }

  lifecycle {
    create_before_destroy = true
  }

  depends_on = [aws_ses_domain_identity_verification.reject_sender]
}

# SES refuses a bounce action whose sender is not verified. That takes some minutes from when DNS has the DKIM records.
resource "aws_ses_domain_identity_verification" "reject_sender" {
  count = length(local.rejected) > 0 && local.sender_in_route53 ? 1 : 0

  domain = aws_sesv2_email_identity.domain[local.sender_domain].email_identity

  depends_on = [aws_route53_record.identity]
}

check "reject_unknown" {
  assert {
    condition     = length(local.rejected) == 0 || local.sender_verified
    error_message = "Unknown recipients are not bounced yet: ${local.sender_domain} has to be verified first. Make the records of the output dns_records, wait until SES shows the domain as verified, and set its `verified` to true."
  }
}

locals {
  # From SES's documentation and, where that could not be had, from Received fields of mail that came in there.
  receiving_regions = [
    "ap-northeast-1", "ap-south-1", "ap-southeast-1", "ap-southeast-2", "ap-southeast-3", "ca-central-1",
    "eu-central-1", "eu-north-1", "eu-west-1", "eu-west-2", "eu-west-3", "sa-east-1", "us-east-1", "us-east-2",
    "us-west-1", "us-west-2",
  ]

  # A key of the alias map as SES says it: user@domain stays, @domain is the domain, as is a pattern of its users; what
  # is on domains below one is .domain, user is that user in every domain, @ and a pattern of users are every domain.
  alias_recipients = distinct(flatten([
    for key in local.alias_map_keys :
    strcontains(try(split("@", key)[1], ""), "*") ? [regex("[.][^*]*$", key)] :
    !strcontains(key, "@") && !strcontains(key, "*") ? [for name in keys(var.domains) : "${key}@${name}"] :
    !strcontains(key, "@") || key == "@" ? keys(var.domains) :
    startswith(key, "@") || strcontains(key, "*") ? [split("@", key)[1]] : [key]
  ]))
  # Taken from a sensitive map they are sensitive, and no resource could be made for each of them.
  said_recipients = nonsensitive(var.recipients)
  wanted = (
    local.said_recipients != null ? tolist(coalesce(local.said_recipients, [])) :
    local.alias_map_given ? local.alias_recipients : keys(var.domains)
  )
  # What a domain that is there as a whole takes, or .domain, would only count against the limit.
  whole = [for recipient in local.wanted : startswith(recipient, ".") ? recipient : "@${recipient}" if !strcontains(recipient, "@")]
  recipients = sort([
    for recipient in local.wanted : recipient
    if !anytrue([for whole in local.whole : endswith(recipient, whole) && recipient != whole])
  ])

  # Never empty where the rule is made: that would be every domain of the account.
  rejected = var.reject_unknown ? [
    for name in keys(var.domains) : name
    if !contains(local.recipients, name) && !anytrue([for whole in local.whole : endswith(name, whole)])
  ] : []

  reject_sender = coalesce(var.reject_sender, "mailer-daemon@${keys(var.domains)[0]}")
  sender_domain = split("@", local.reject_sender)[1]
  sender        = var.domains[local.sender_domain]
  sender_in_route53 = (
    local.sender.identity == null && contains(keys(local.route53_records), "${local.sender_domain} dkim 0")
  )
  sender_verified = local.sender.verified || local.sender.identity != null || local.sender_in_route53
}
