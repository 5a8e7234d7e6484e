# The receipt rules: what they match, in which order they act, and that SES may do what they say, and no more.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  domains = {
    "example.com" = { route53 = { zone_id = "Z1" } }
    "example.org" = {}
  }
  alias_map = {
    "Shop@example.com" = ["jane@example.net"]
  }
  package = {
    file         = "tests/package.txt"
    architecture = "arm64"
  }
}

run "the_forwarding_rule" {
  command = plan

  # SES runs actions by position. The function must find the mail, so S3 comes before it; nothing comes after the stop.
  assert {
    condition = [
      one(aws_ses_receipt_rule.forward.add_header_action).position,
      one(aws_ses_receipt_rule.forward.s3_action).position,
      one(aws_ses_receipt_rule.forward.lambda_action).position,
      one(aws_ses_receipt_rule.forward.stop_action).position,
    ] == [1, 2, 3, 4]
    error_message = "the order is header, S3, function, stop"
  }
  assert {
    condition     = one(aws_ses_receipt_rule.forward.add_header_action).header_name == "X-SES-Forwarded-By"
    error_message = "the header is X-SES-Forwarded-By"
  }
  assert {
    condition = (
      one(aws_ses_receipt_rule.forward.s3_action).object_key_prefix == "inbound/"
      && one(aws_ses_receipt_rule.forward.s3_action).kms_key_arn == null
    )
    error_message = "mail lies under the prefix, and is not encrypted by SES, which the function could not read"
  }
  # RequestResponse would make SES wait, for 30 seconds at most, and give the mail up on a failure.
  assert {
    condition     = one(aws_ses_receipt_rule.forward.lambda_action).invocation_type == "Event"
    error_message = "the function is invoked asynchronously"
  }
  assert {
    condition = (
      aws_ses_receipt_rule.forward.enabled && aws_ses_receipt_rule.forward.scan_enabled
      && aws_ses_receipt_rule.forward.tls_policy == "Require"
    )
    error_message = "the rule is on, scans and wants TLS"
  }
  assert {
    condition     = aws_ses_receipt_rule.forward.recipients == toset(["shop@example.com"])
    error_message = "the recipients are the alias map's keys in lower case"
  }
}

run "the_rejecting_rule" {
  command = plan

  assert {
    condition     = aws_ses_receipt_rule.reject[0].after == aws_ses_receipt_rule.forward.name
    error_message = "before the forwarding rule it would bounce all mail"
  }
  assert {
    condition     = aws_ses_receipt_rule.reject[0].recipients == toset(["example.com", "example.org"])
    error_message = "without recipients it would bounce the mail of every domain of the account"
  }
  assert {
    condition = (
      one(aws_ses_receipt_rule.reject[0].bounce_action).smtp_reply_code == "550"
      && one(aws_ses_receipt_rule.reject[0].bounce_action).status_code == "5.1.1"
      && one(aws_ses_receipt_rule.reject[0].bounce_action).sender == "mailer-daemon@example.com"
    )
    error_message = "it bounces with 550 5.1.1 in the name of the first domain"
  }
  # SES answers "Identity is not verified" to a bounce action whose sender is not verified yet.
  assert {
    condition     = aws_ses_domain_identity_verification.reject_sender[0].domain == "example.com"
    error_message = "the rule waits for its sender to be verified"
  }
}

run "ses_may_write_for_this_rule_only" {
  command = plan

  assert {
    condition = jsondecode(aws_s3_bucket_policy.mail.policy).Statement[0] == {
      Sid       = "SesPutsMail"
      Effect    = "Allow"
      Principal = { Service = "ses.amazonaws.com" }
      Action    = "s3:PutObject"
      Resource  = "arn:aws:s3:::readdress-111122223333-eu-west-1/inbound/*"
      Condition = {
        StringEquals = {
          "aws:SourceAccount" = "111122223333"
          "aws:SourceArn"     = "arn:aws:ses:eu-west-1:111122223333:receipt-rule-set/readdress:receipt-rule/readdress-forward"
        }
      }
    }
    error_message = "SES puts objects under the prefix, for our rule in our account"
  }
  assert {
    condition     = length(jsondecode(aws_s3_bucket_policy.mail.policy).Statement) == 2 && jsondecode(aws_s3_bucket_policy.mail.policy).Statement[1].Effect == "Deny"
    error_message = "nobody else is allowed anything, and nobody without TLS"
  }
  assert {
    condition     = jsondecode(aws_s3_bucket_policy.mail.policy).Statement[1].Condition.Bool["aws:SecureTransport"] == "false"
    error_message = "the second statement denies what comes without TLS"
  }
  assert {
    condition = (
      aws_lambda_permission.ses.principal == "ses.amazonaws.com"
      && aws_lambda_permission.ses.action == "lambda:InvokeFunction"
      && aws_lambda_permission.ses.source_account == "111122223333"
      && aws_lambda_permission.ses.source_arn == "arn:aws:ses:eu-west-1:111122223333:receipt-rule-set/readdress:receipt-rule/readdress-forward"
    )
    error_message = "SES invokes the function for our rule in our account"
  }
  assert {
    condition     = aws_ses_receipt_rule.forward.name == "readdress-forward" && aws_ses_receipt_rule.forward.rule_set_name == "readdress"
    error_message = "the rule is the one that the policies name"
  }
}

run "the_bucket_is_closed" {
  command = plan

  assert {
    condition = alltrue([
      aws_s3_bucket_public_access_block.mail.block_public_acls,
      aws_s3_bucket_public_access_block.mail.block_public_policy,
      aws_s3_bucket_public_access_block.mail.ignore_public_acls,
      aws_s3_bucket_public_access_block.mail.restrict_public_buckets,
    ])
    error_message = "no public access of any kind"
  }
  assert {
    condition     = aws_s3_bucket_ownership_controls.mail.rule[0].object_ownership == "BucketOwnerEnforced"
    error_message = "what SES writes is ours"
  }
  assert {
    condition     = one(one(aws_s3_bucket_server_side_encryption_configuration.mail.rule).apply_server_side_encryption_by_default).sse_algorithm == "AES256"
    error_message = "without a key of one's own S3 encrypts"
  }
  assert {
    condition = [
      for rule in aws_s3_bucket_lifecycle_configuration.mail.rule : rule.expiration[0].days if rule.id == "mail"
    ] == [30]
    error_message = "mail is deleted after 30 days"
  }
  assert {
    condition = [
      for rule in aws_s3_bucket_lifecycle_configuration.mail.rule : [rule.filter[0].prefix, rule.expiration[0].days] if rule.id == "ledger"
    ] == [["ledger/", 30]]
    error_message = "what was sent is known as long as the mail is there"
  }
  assert {
    condition     = !aws_s3_bucket.mail.force_destroy
    error_message = "mail is not thrown away with the bucket"
  }
  # SES writes it itself; what is not Terraform's keeps `destroy` from deleting the bucket.
  assert {
    condition     = aws_s3_object.setup_notification.key == "inbound/AMAZON_SES_SETUP_NOTIFICATION"
    error_message = "SES's setup notification is left behind"
  }
}

run "mail_is_kept_for_ever" {
  command = plan

  variables {
    email_expiration_days = null
    email_prefix          = ""
  }

  assert {
    condition     = [for rule in aws_s3_bucket_lifecycle_configuration.mail.rule : rule.id] == ["uploads"]
    error_message = "null means no expiry"
  }
  assert {
    condition     = jsondecode(aws_s3_bucket_policy.mail.policy).Statement[0].Resource == "arn:aws:s3:::readdress-111122223333-eu-west-1/*"
    error_message = "without a prefix SES writes anywhere in the bucket"
  }
  assert {
    condition     = aws_s3_object.setup_notification.key == "AMAZON_SES_SETUP_NOTIFICATION"
    error_message = "without a prefix SES's setup notification has none either"
  }
}

run "every_form_of_key" {
  command = plan

  variables {
    alias_map = {
      "shop+returns@example.com" = "a@example.net"
      "shop@example.com"         = "a@example.net"
      "postmaster"               = ["a@example.net"]
      "@example.org"             = { to = "a@example.net" }
      "sales@example.org"        = { to = ["a@example.net"], enabled = false }
    }
  }

  # sales@ and postmaster@example.org are in example.org already.
  assert {
    condition = aws_ses_receipt_rule.forward.recipients == toset([
      "example.org", "postmaster@example.com", "shop+returns@example.com", "shop@example.com"
    ])
    error_message = "each form of key has its recipients"
  }
  assert {
    condition     = aws_ses_receipt_rule.reject[0].recipients == toset(["example.com"])
    error_message = "a domain that is forwarded as a whole rejects nothing"
  }
}

run "patterns_and_domains" {
  command = plan

  variables {
    alias_map = {
      "shop-*@example.org"     = "@example.net"
      "sales@example.org"      = "a@example.net"
      "@*.example.com"         = ["a@example.net", "@example.net"]
      "jane@*shop.example.com" = "a@example.net"
      "jane@example.com"       = "a@example.net"
    }
  }

  # The receipt rule takes no patterns: the function decides what they do not match.
  assert {
    condition     = aws_ses_receipt_rule.forward.recipients == toset([".example.com", "example.org", "jane@example.com"])
    error_message = "a pattern of users is the domain, one of domains all those below it"
  }
}

run "a_pattern_of_users_on_every_domain" {
  command = plan

  variables {
    alias_map = { "shop-*" = "a@example.net" }
  }

  assert {
    condition     = aws_ses_receipt_rule.forward.recipients == toset(["example.com", "example.org"])
    error_message = "it may match on every domain"
  }
}

# A caller's map may be sensitive, such as one that is read from a secret.
run "a_sensitive_map" {
  variables {
    alias_map = sensitive({ "shop@example.com" = ["a@example.net"] })
  }

  assert {
    condition     = aws_ses_receipt_rule.forward.recipients == toset(["shop@example.com"]) && length(aws_ssm_parameter.alias_map) == 1
    error_message = "its keys are the recipients"
  }
  assert {
    condition     = contains(keys(output.alarm_names), "no-alias")
    error_message = "alarms do not depend on what is sensitive"
  }
}

# What a caller takes from such a map is sensitive too; nothing may be made for each of what is.
run "recipients_from_a_sensitive_map" {
  variables {
    alias_map  = sensitive({ "shop@example.com" = ["a@example.net"], "old@example.com" = { enabled = false } })
    recipients = keys(sensitive({ "shop@example.com" = ["a@example.net"] }))
  }

  assert {
    condition     = aws_ses_receipt_rule.forward.recipients == toset(["shop@example.com"]) && contains(keys(output.alarm_names), "no-alias")
    error_message = "the recipients are those that are said"
  }
}

run "everything" {
  command = plan

  variables {
    alias_map = { "@" = "a@example.net" }
  }

  assert {
    condition     = aws_ses_receipt_rule.forward.recipients == toset(["example.com", "example.org"])
    error_message = "the key @ is every domain"
  }
  # A rule without recipients matches every domain of the account.
  assert {
    condition     = length(aws_ses_receipt_rule.reject) == 0 && length(aws_ses_domain_identity_verification.reject_sender) == 0
    error_message = "there is nothing to reject"
  }
  assert {
    condition     = output.last_rule_name == "readdress-forward"
    error_message = "the last rule is the forwarding one"
  }
}

run "recipients_that_are_said" {
  command = plan

  variables {
    recipients = ["example.com", "shop@example.org"]
  }

  assert {
    condition     = aws_ses_receipt_rule.forward.recipients == toset(["example.com", "shop@example.org"])
    error_message = "recipients go before the alias map's keys"
  }
  assert {
    condition     = aws_ses_receipt_rule.reject[0].recipients == toset(["example.org"])
    error_message = "the rest of example.org is rejected"
  }
}

run "a_map_that_is_kept_elsewhere" {
  command = plan

  variables {
    alias_map       = null
    alias_map_param = "/mail/aliases"
  }

  assert {
    condition     = aws_ses_receipt_rule.forward.recipients == toset(["example.com", "example.org"])
    error_message = "what cannot be known is the function's to decide"
  }
}

# The resource that activates a set deactivates the active one, whosever it is, when it is destroyed.
run "a_set_of_its_own_is_made" {
  command = plan

  assert {
    condition     = aws_ses_receipt_rule_set.this[0].rule_set_name == "readdress"
    error_message = "the set is made"
  }
  assert {
    condition     = output.activate == "aws ses set-active-receipt-rule-set --region eu-west-1 --rule-set-name readdress"
    error_message = "the operator activates it"
  }
  assert {
    condition     = aws_ses_receipt_rule.forward.after == null
    error_message = "there is nothing to come after"
  }
}

run "a_set_that_exists_is_joined" {
  command = plan

  variables {
    create_rule_set = false
    rule_set_name   = "inbound"
    rule_after      = "newsletter"
  }

  assert {
    condition     = length(aws_ses_receipt_rule_set.this) == 0
    error_message = "the set of others is not made"
  }
  assert {
    condition     = aws_ses_receipt_rule.forward.rule_set_name == "inbound" && aws_ses_receipt_rule.reject[0].rule_set_name == "inbound"
    error_message = "both rules are in it"
  }
  assert {
    condition = (
      aws_ses_receipt_rule.forward.after == "newsletter"
      && aws_ses_receipt_rule.reject[0].after == aws_ses_receipt_rule.forward.name
    )
    error_message = "ours come after the rule that is named"
  }
  assert {
    condition     = endswith(aws_lambda_permission.ses.source_arn, ":receipt-rule-set/inbound:receipt-rule/${aws_ses_receipt_rule.forward.name}")
    error_message = "the permission names the set that is joined"
  }
  # A rule in another set is made before the old one goes, and so is its permission.
  assert {
    condition     = aws_lambda_permission.ses.statement_id == "SesInvokes-${substr(sha256(aws_lambda_permission.ses.source_arn), 0, 8)}"
    error_message = "two rules cannot have their permissions at once"
  }
}

# Only a new rule can come first: the provider asks SES to move one behind the rule "", which there is none of. And one that
# moves behind another rule would leave the rejecting rule before it.
run "another_place_in_a_set_is_another_rule" {
  command = plan

  variables {
    create_rule_set = false
    rule_set_name   = "inbound"
    rule_after      = "archive"
  }

  assert {
    condition = (
      aws_ses_receipt_rule.forward.name != "readdress-forward"
      && aws_ses_receipt_rule.forward.name != "readdress-forward-${substr(sha256("newsletter"), 0, 8)}"
    )
    error_message = "a rule keeps its name in another place"
  }
  assert {
    condition     = aws_ses_receipt_rule.reject[0].after == aws_ses_receipt_rule.forward.name
    error_message = "the rejecting rule stays behind it"
  }
}

run "the_longest_name_of_a_rule" {
  command = plan

  variables {
    name            = "a-name-of-thirty-two-characters1"
    create_rule_set = false
    rule_set_name   = "inbound"
    rule_after      = "newsletter"
  }

  assert {
    condition     = length(aws_ses_receipt_rule.forward.name) <= 64
    error_message = "SES takes no such name"
  }
}

run "first_in_a_set_that_exists" {
  command = plan

  variables {
    create_rule_set = false
    rule_set_name   = "inbound"
  }

  assert {
    condition     = aws_ses_receipt_rule.forward.name == "readdress-forward" && aws_ses_receipt_rule.forward.after == null
    error_message = "a rule that comes first has the plain name"
  }
}

# Who asked for it must hear that nothing was activated; the apply goes on.
run "activation_is_asked_for" {
  command = plan

  variables {
    activate_rule_set = true
  }

  expect_failures = [check.activate_rule_set]
}

# The DKIM records are somebody else's to make: the apply must end without the rule, or its output would never tell them.
run "a_sender_whose_dns_is_elsewhere" {
  command = plan

  variables {
    reject_sender = "postmaster@example.org"
  }

  expect_failures = [check.reject_unknown]

  assert {
    condition     = length(aws_ses_receipt_rule.reject) == 0 && length(aws_ses_domain_identity_verification.reject_sender) == 0
    error_message = "the rule is left out, and nothing is waited for"
  }
}

run "a_sender_that_is_verified" {
  command = plan

  variables {
    domains = {
      "example.com" = {}
      "example.org" = { verified = true }
    }
    reject_sender = "postmaster@example.org"
  }

  assert {
    condition     = one(aws_ses_receipt_rule.reject[0].bounce_action).sender == "postmaster@example.org"
    error_message = "the rule is made once its sender is verified"
  }
}

run "nothing_is_bounced" {
  command = plan

  variables {
    domains        = { "example.com" = {} }
    reject_unknown = false
  }

  assert {
    condition     = length(aws_ses_receipt_rule.reject) == 0
    error_message = "the rejecting rule can be left out"
  }
  assert {
    condition     = length(aws_ses_receipt_rule.forward.stop_action) == 0
    error_message = "and then nothing keeps the message from rules that follow"
  }
}
