# What the other files share: where we are, and names and ARNs that are needed before the resources exist.

data "aws_caller_identity" "current" {}
data "aws_partition" "current" {}
data "aws_region" "current" {}

locals {
  account   = data.aws_caller_identity.current.account_id
  partition = data.aws_partition.current.partition
  region    = data.aws_region.current.region

  # SES writes to the bucket and invokes the function on behalf of this rule alone; both must allow it before the rule
  # is made, since SES tries them then.
  rule_set_name = coalesce(var.rule_set_name, var.name)
  # Another place in the set is another rule, made before the old one goes. A rule that moved would leave the rejecting rule
  # where it is, which could then come first and bounce everything; and the provider cannot move one to the front.
  forward_rule     = join("-", concat([var.name, "forward"], [for rule in var.rule_after[*] : substr(sha256(rule), 0, 8)]))
  forward_rule_arn = "arn:${local.partition}:ses:${local.region}:${local.account}:receipt-rule-set/${local.rule_set_name}:receipt-rule/${local.forward_rule}"

  bucket_name = coalesce(var.bucket_name, "${var.name}-${local.account}-${local.region}")
  bucket_arn  = "arn:${local.partition}:s3:::${local.bucket_name}"
  queue_name  = "${var.name}-failed"
  queue_arn   = "arn:${local.partition}:sqs:${local.region}:${local.account}:${local.queue_name}"

  ses_arn = "arn:${local.partition}:ses:${local.region}:${local.account}"
  # Without reasons it is another set. The provider says "for no reason" only when it makes one; of one that is there it
  # would take the setting off, and the account's own, with complaints in it, would count.
  configuration_set     = length(var.suppressed_reasons) > 0 ? var.name : "${var.name}-unsuppressed"
  configuration_set_arn = "${local.ses_arn}:configuration-set/${local.configuration_set}"

  # The identity that SES finds for an address of the domain.
  identities = { for name, domain in var.domains : name => coalesce(domain.identity, name) }
}
