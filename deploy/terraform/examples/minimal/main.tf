# One domain in Route53, one alias. See ../../README.md for where bootstrap.zip comes from.

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
  region = "eu-west-1"
}

variable "zone_id" {
  description = "The Route53 zone of the domain."
  type        = string
}

variable "package_file" {
  description = "The function's zip."
  type        = string
  default     = "bootstrap.zip"
}

module "aliases" {
  source = "../.."

  domains = {
    "example.com" = { route53 = { zone_id = var.zone_id } }
  }
  alias_map = {
    "shop@example.com" = ["jane@example.net"]
  }
  package = {
    file         = var.package_file
    architecture = "x86_64" # what the zip was built on: x86_64 or arm64
  }

  # While SES keeps the account in its sandbox.
  sandbox_targets = ["jane@example.net"]
}
