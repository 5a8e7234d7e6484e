# Identities and records. Applied, since the DKIM tokens are SES's.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  domains = {
    "example.com" = { route53 = { zone_id = "Z1" }, mail_from = "bounce", dmarc = "v=DMARC1; p=reject", mx_priority = 20 }
    "example.org" = {}
    "shop.example.net" = {
      identity = "example.net"
      dmarc    = ""
      route53  = { zone_id = "Z2", records = ["dkim", "dmarc"] }
    }
  }
  alias_map = { "postmaster" = ["jane@example.edu"] }
  package = {
    file         = "tests/package.txt"
    architecture = "arm64"
  }
}

run "records" {
  assert {
    condition = toset([
      for record in output.dns_records : "${record.created} ${record.name} ${record.type} ${join("|", record.values)}"
      ]) == toset([
      "true one._domainkey.example.com CNAME one.dkim.amazonses.com",
      "true two._domainkey.example.com CNAME two.dkim.amazonses.com",
      "true three._domainkey.example.com CNAME three.dkim.amazonses.com",
      "true example.com MX 20 inbound-smtp.eu-west-1.amazonaws.com",
      "true _dmarc.example.com TXT v=DMARC1; p=reject",
      "true bounce.example.com MX 10 feedback-smtp.eu-west-1.amazonses.com",
      "true bounce.example.com TXT v=spf1 include:amazonses.com ~all",
      "false one._domainkey.example.org CNAME one.dkim.amazonses.com",
      "false two._domainkey.example.org CNAME two.dkim.amazonses.com",
      "false three._domainkey.example.org CNAME three.dkim.amazonses.com",
      "false example.org MX 10 inbound-smtp.eu-west-1.amazonaws.com",
      "false _dmarc.example.org TXT v=DMARC1; p=none",
      "false shop.example.net MX 10 inbound-smtp.eu-west-1.amazonaws.com",
    ])
    error_message = "every domain has its records, made where a zone is given: ${jsonencode(output.dns_records)}"
  }
  assert {
    condition = toset(concat(
      [for record in aws_route53_record.identity : "${record.zone_id} ${record.type} ${record.name} ${join("|", record.records)}"],
      [for record in aws_route53_record.mx : "${record.zone_id} ${record.type} ${record.name} ${join("|", record.records)}"],
      )) == toset([
      for record in output.dns_records : "Z1 ${record.type} ${record.name} ${join("|", record.values)}" if record.created
    ])
    error_message = "what is said to be created is what Route53 gets"
  }
  assert {
    condition     = keys(aws_sesv2_email_identity.domain) == ["example.com", "example.org"] && output.identities == ["example.com", "example.org"]
    error_message = "a domain that an identity covers gets none of its own"
  }
  assert {
    condition     = aws_sesv2_email_identity_mail_from_attributes.domain["example.com"].mail_from_domain == "bounce.example.com"
    error_message = "the custom MAIL FROM is a subdomain"
  }
  assert {
    condition     = keys(aws_sesv2_email_identity_mail_from_attributes.domain) == ["example.com"]
    error_message = "only who wants a custom MAIL FROM has one"
  }
  # Its From is of shop.example.net; SES finds the identity of the parent for it.
  assert {
    condition = [
      for statement in jsondecode(aws_iam_role_policy.function.policy).Statement : statement.Resource if statement.Sid == "Send"
      ] == [[
        "arn:aws:ses:eu-west-1:111122223333:identity/example.com",
        "arn:aws:ses:eu-west-1:111122223333:identity/example.net",
        "arn:aws:ses:eu-west-1:111122223333:identity/example.org",
        "arn:aws:ses:eu-west-1:111122223333:identity/*@example.com",
        "arn:aws:ses:eu-west-1:111122223333:identity/*@example.org",
        "arn:aws:ses:eu-west-1:111122223333:identity/*@shop.example.net",
        "arn:aws:ses:eu-west-1:111122223333:configuration-set/readdress",
    ]]
    error_message = "the function may send in the name of the identities that cover the domains"
  }
}

# DKIM keys of some regions are published elsewhere; a CNAME to the wrong place leaves the domain unverified for ever.
run "a_region_with_its_own_dkim_zone" {
  variables {
    check_region = false
  }

  override_data {
    target = data.aws_region.current
    values = {
      region = "eu-south-1"
    }
  }

  assert {
    condition = contains(
      [for record in output.dns_records : "${record.name} ${record.values[0]}"],
      "one._domainkey.example.org one.dkim.eu-south-1.amazonses.com"
    )
    error_message = "the zone is the region's"
  }
}
