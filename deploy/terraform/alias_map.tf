# The alias map: a parameter that is made here, or a place that is kept elsewhere.

locals {
  alias_map       = jsonencode(var.alias_map)
  alias_map_param = coalesce(var.alias_map_param, "/${var.name}/aliases")

  # Octets, which length does not count: four characters of base64 stand for three of them.
  alias_map_bytes = nonsensitive(floor(length(base64encode(local.alias_map)) / 4) * 3)

  # The map is sensitive for its targets. Whether there is one, and what it takes mail for, must be known in a plan.
  alias_map_given = nonsensitive(var.alias_map != null)
  alias_map_keys  = nonsensitive([for key in try(keys(var.alias_map), []) : lower(key)])

  alias_map_in_s3 = startswith(local.alias_map_param, "s3://")
  alias_map_path  = endswith(local.alias_map_param, "/")
}

resource "aws_ssm_parameter" "alias_map" {
  #checkov:skip=CKV2_AWS_34: SecureString is var.alias_map_type
  #checkov:skip=CKV_AWS_337: a key of one's own is var.kms_key_arn
  count = local.alias_map_given ? 1 : 0

  name        = local.alias_map_param
  description = "The alias map of ${var.name}"
  type        = var.alias_map_type
  key_id      = var.alias_map_type == "SecureString" ? var.kms_key_arn : null
  value       = local.alias_map
  # Standard up to 4 KB, which is free, then advanced. A parameter that has been advanced stays so: to go back the
  # provider would have to delete it, and mail that arrives meanwhile would fail.
  tier = "Intelligent-Tiering"
  tags = var.tags

  lifecycle {
    precondition {
      condition     = local.alias_map_bytes <= 8192
      error_message = "The alias map has about ${local.alias_map_bytes} octets; an SSM parameter holds 8192. Keep it in S3 and name it by alias_map_param = \"s3://bucket/key\"."
    }
  }
}
