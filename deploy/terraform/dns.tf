# The domains: SES identities with DKIM, and the records that DNS must have.

resource "aws_sesv2_email_identity" "domain" {
  for_each = toset([for name, domain in var.domains : name if domain.identity == null])

  email_identity = each.key
  tags           = var.tags

  dkim_signing_attributes {
    next_signing_key_length = "RSA_2048_BIT"
  }
}

resource "aws_sesv2_email_identity_mail_from_attributes" "domain" {
  for_each = { for name, domain in var.domains : name => domain if domain.mail_from != null }

  email_identity   = aws_sesv2_email_identity.domain[each.key].email_identity
  mail_from_domain = "${each.value.mail_from}.${each.key}"
  # While its records are missing SES uses its own domain: mail goes out all the same.
  behavior_on_mx_failure = "USE_DEFAULT_VALUE"
}

locals {
  # Regions whose DKIM keys are not published under dkim.amazonses.com. SES names the zone of an identity itself since
  # 2025; where the provider shows that (signing_hosted_zone), it counts.
  dkim_zones = {
    for region in [
      "af-south-1", "ap-northeast-3", "ap-south-2", "ap-southeast-3", "ap-southeast-5", "ca-west-1", "eu-central-2",
      "eu-south-1", "il-central-1", "me-central-1", "us-gov-east-1",
    ] : region => "dkim.${region}.amazonses.com"
  }
  dkim = {
    for name, identity in aws_sesv2_email_identity.domain : name => {
      tokens = identity.dkim_signing_attributes[0].tokens
      zone = coalesce(
        one([for key, value in identity.dkim_signing_attributes[0] : value if key == "signing_hosted_zone"]),
        lookup(local.dkim_zones, local.region, "dkim.amazonses.com"),
      )
    }
  }

  # One entry a record. The keys must be known in a plan; tokens are not.
  records = merge([
    for name, domain in var.domains : merge(
      {
        # Easy DKIM has three tokens.
        for number in domain.identity == null ? [0, 1, 2] : [] : "${name} dkim ${number}" => {
          domain = name
          kind   = "dkim"
          type   = "CNAME"
          name   = "${local.dkim[name].tokens[number]}._domainkey.${name}"
          values = ["${local.dkim[name].tokens[number]}.${local.dkim[name].zone}"]
        }
      },
      {
        for kind in ["mx"] : "${name} ${kind}" => {
          domain = name
          kind   = kind
          type   = "MX"
          name   = name
          values = ["${domain.mx_priority} inbound-smtp.${local.region}.amazonaws.com"]
        }
      },
      {
        for kind in domain.dmarc == "" ? [] : ["dmarc"] : "${name} ${kind}" => {
          domain = name
          kind   = kind
          type   = "TXT"
          name   = "_dmarc.${name}"
          values = [domain.dmarc]
        }
      },
      {
        for type, value in domain.mail_from == null ? {} : {
          MX  = "10 feedback-smtp.${local.region}.amazonses.com"
          TXT = "v=spf1 include:amazonses.com ~all"
          } : "${name} mail_from ${type}" => {
          domain = name
          kind   = "mail_from"
          type   = type
          name   = "${domain.mail_from}.${name}"
          values = [value]
        }
      },
    )
  ]...)

  # Whether there is a `route53`, not whether its zone_id is null: the id of a zone that is made in the same run is
  # unknown in the plan.
  route53_records = {
    for key, record in local.records : key => record
    if var.domains[record.domain].route53 == null ? false : contains(var.domains[record.domain].route53.records, record.kind)
  }
}

resource "aws_route53_record" "identity" {
  for_each = { for key, record in local.route53_records : key => record if record.kind != "mx" }

  zone_id = var.domains[each.value.domain].route53.zone_id
  name    = each.value.name
  type    = each.value.type
  ttl     = local.ttl
  records = each.value.values
}

# Last of all: mail comes from here on.
resource "aws_route53_record" "mx" {
  for_each = { for key, record in local.route53_records : key => record if record.kind == "mx" }

  zone_id = var.domains[each.value.domain].route53.zone_id
  name    = each.value.name
  type    = each.value.type
  ttl     = local.ttl
  records = each.value.values

  depends_on = [
    aws_ses_receipt_rule.forward,
    aws_ses_receipt_rule.reject,
  ]
}

locals {
  # Short enough to correct a mistake, long enough to be cached between two mails.
  ttl = 600
}
