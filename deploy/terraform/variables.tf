# What must be said

variable "domains" {
  description = <<-EOT
    The domains that receive, by name. `route53` says in which zone their DNS records are made, and which of them: any
    of `dkim`, `mx`, `dmarc`, `mail_from`, all by default. Without it no record is made; the output `dns_records` lists
    them all. `verified`: set it once SES shows the domain as verified, if its DKIM records are not made here.
    `identity`: an SES identity that exists and covers the domain, itself or a parent; none is made then. `dmarc`: the
    policy, empty for none. `mail_from`: the label of a custom MAIL FROM subdomain, such as `bounce`.
  EOT
  type = map(object({
    route53 = optional(object({
      zone_id = string
      records = optional(set(string), ["dkim", "mx", "dmarc", "mail_from"])
    }))
    verified    = optional(bool, false)
    identity    = optional(string)
    dmarc       = optional(string, "v=DMARC1; p=none")
    mail_from   = optional(string)
    mx_priority = optional(number, 10)
  }))
  nullable = false

  validation {
    condition     = length(var.domains) > 0
    error_message = "There must be a domain to receive for."
  }
  validation {
    condition = alltrue([
      for name in keys(var.domains) : can(regex("^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\\.)+[a-z0-9-]{2,63}$", name))
    ])
    error_message = "A domain is written in lower case without a final dot, international ones in Punycode: example.com, xn--bcher-kva.example."
  }
  validation {
    condition = alltrue([
      for domain in values(var.domains) :
      length(setsubtract(try(domain.route53.records, []), ["dkim", "mx", "dmarc", "mail_from"])) == 0
    ])
    error_message = "The records of a domain are of: dkim, mx, dmarc, mail_from."
  }
  validation {
    condition = alltrue([
      for name, domain in var.domains :
      domain.identity == null ? true : name == domain.identity || endswith(name, ".${domain.identity}")
    ])
    error_message = "The identity of a domain is the domain itself or a parent of it."
  }
  validation {
    condition     = alltrue([for domain in values(var.domains) : domain.identity == null || domain.mail_from == null])
    error_message = "A custom MAIL FROM belongs to the identity: it can be set only where the module makes that."
  }
  validation {
    condition = alltrue([
      for domain in values(var.domains) : can(regex("^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$", coalesce(domain.mail_from, "bounce")))
    ])
    error_message = "The mail_from of a domain is one label, such as bounce; the domain comes behind it."
  }
  validation {
    # A longer TXT record would have to be cut into strings of 255 octets (RFC 1035 3.3.14).
    condition     = alltrue([for domain in values(var.domains) : can(regex("^(v=DMARC1;[ -~]{1,240})?$", domain.dmarc))])
    error_message = "The dmarc of a domain begins with v=DMARC1; and has at most 250 characters, or is empty."
  }
  validation {
    condition     = alltrue([for domain in values(var.domains) : domain.mx_priority >= 0 && domain.mx_priority <= 65535])
    error_message = "The mx_priority of a domain is between 0 and 65535."
  }
}

variable "package" {
  description = <<-EOT
    The function's zip and the architecture that it was built for, `arm64` or `x86_64`: a local `file`, or `s3_bucket`
    and `s3_key` in the same region. A new zip under the same key is noticed by its `s3_object_version` or its
    `source_code_hash`, the SHA-256 in base64.
  EOT
  type = object({
    architecture      = string
    file              = optional(string)
    s3_bucket         = optional(string)
    s3_key            = optional(string)
    s3_object_version = optional(string)
    source_code_hash  = optional(string)
  })
  nullable = false

  validation {
    condition     = contains(["arm64", "x86_64"], var.package.architecture)
    error_message = "The architecture is arm64 or x86_64."
  }
  validation {
    condition     = (var.package.file == null) != (var.package.s3_bucket == null)
    error_message = "The package is either a file or in S3."
  }
  validation {
    condition     = (var.package.s3_bucket == null) == (var.package.s3_key == null)
    error_message = "A package in S3 needs s3_bucket and s3_key."
  }
}

# The alias map

variable "alias_map" {
  description = <<-EOT
    The alias map: who forwards where, with the keys and values that the README of the project describes. It is written
    to the SSM parameter `alias_map_param`, and can be read in Terraform's state. It names private mailboxes, so plans do
    not show it; its keys, which the receipt rule needs, are no secret. Null: the map is kept elsewhere, and
    `alias_map_param` says where.
  EOT
  type        = any
  default     = null
  sensitive   = true

  validation {
    condition     = var.alias_map == null || can(keys(var.alias_map))
    error_message = "The alias map is an object: alias = targets."
  }
  validation {
    condition     = try(length(var.alias_map) > 0, true)
    error_message = "The alias map is empty: no mail would be forwarded."
  }
  validation {
    condition     = alltrue([for key in try(keys(var.alias_map), []) : can(regex("^([!-?A-~]+|[!-?A-~]*@[!-?A-~]+|@)$", key))])
    error_message = "A key of the alias map is user@domain, @domain, user or @, and may have a * for any text."
  }
  validation {
    # A domain that is none of ours never receives: most likely a typing mistake. A pattern is of domains below one of ours.
    condition = alltrue([
      for domain in [for key in try(keys(var.alias_map), []) : lower(try(split("@", key)[1], ""))] :
      contains(concat(keys(var.domains), [""]), domain)
      || strcontains(domain, "*") && anytrue([for name in keys(var.domains) : endswith(domain, ".${name}")])
    ])
    error_message = "A key of the alias map names a domain that is not among the domains: ${join(", ", nonsensitive([for key in try(keys(var.alias_map), []) : key if !contains(concat(keys(var.domains), [""]), lower(try(split("@", key)[1], ""))) && !strcontains(try(split("@", key)[1], ""), "*")]))}."
  }
  validation {
    condition     = alltrue([for key in try(keys(var.alias_map), []) : !contains(concat(keys(var.domains), ["*"]), lower(key))])
    error_message = "A key of the alias map without @ is a user of any domain. All else of a domain is @domain, all else at all is @."
  }
  validation {
    condition = alltrue([
      for value in try(values(var.alias_map), []) : can(tostring(value)) || can(tolist(value)) || can(keys(value))
    ])
    error_message = "A value of the alias map is an address, a list of addresses, or an object."
  }
  validation {
    # An object without `to` (one that is not enabled) has no targets to look at.
    condition = alltrue([
      for target in flatten([for value in try(values(var.alias_map), []) : try(value.to, slice(keys(value), 0, 0), value)]) :
      can(regex("^[^@\\s]*@[^@\\s]+$", target))
    ])
    error_message = "The targets in the alias map are addresses, or domains with an @ before them."
  }
  validation {
    condition = alltrue([
      for value in try(values(var.alias_map), []) :
      length(setsubtract(try(keys(value), []), [
        "to", "from_format", "from_email", "to_header", "subject_prefix", "enabled", "spam", "virus", "dmarc", "notify",
        "fallback", "allow", "block", "until", "signed", "replies", "repliers", "name",
      ])) == 0
    ])
    error_message = "An object in the alias map has to, from_format, from_email, to_header, subject_prefix, enabled, spam, virus, dmarc, notify, fallback, allow, block, until, signed, replies, repliers and name, and nothing else."
  }
  validation {
    condition = alltrue([
      for value in try(values(var.alias_map), []) :
      try(length(flatten([try(value.to, slice(keys(value), 0, 0), value)])) > 0, false) || try(!value.enabled, false)
    ])
    error_message = "An alias in the alias map has no target. To switch one off, set enabled = false."
  }
  validation {
    condition = alltrue([
      for value in try(values(var.alias_map), []) :
      contains(["full", "name", "via", "alias"], try(value.from_format, "full"))
      && contains(["targets", "alias", "keep"], try(value.to_header, "keep"))
    ])
    error_message = "In the alias map from_format is full, name, via or alias; to_header is targets, alias or keep."
  }
  validation {
    condition = alltrue([
      for value in try(values(var.alias_map), []) :
      contains(["forward", "mark", "hold"], try(value.spam, "mark"))
      && contains(["forward", "mark", "hold"], try(value.virus, "hold"))
      && contains(["obey", "forward", "mark", "hold"], try(value.dmarc, "obey"))
      && can(regex("^(targets|off|[^@\\s<>]+@[^@\\s<>]+)$", try(value.notify, "targets")))
    ])
    error_message = "In the alias map spam and virus are forward, mark or hold; dmarc is one of these or obey; notify is targets, off or an address."
  }
  validation {
    condition = alltrue([
      for value in try(values(var.alias_map), []) :
      !can(value.from_email) || contains(keys(var.domains), try(split("@", value.from_email)[1], ""))
    ])
    error_message = "In the alias map from_email is an address of one of the domains: the function may send from no other."
  }
}

variable "alias_map_param" {
  description = <<-EOT
    The SSM parameter of the alias map; by default `/<name>/aliases`. Without `alias_map` it is one that exists: a
    parameter, a path that ends in `/` and whose parameters are merged, or `s3://bucket/key`.
  EOT
  type        = string
  default     = null

  validation {
    condition     = var.alias_map != null || var.alias_map_param != null
    error_message = "There must be an alias_map, or an alias_map_param that says where it is."
  }
  validation {
    condition = can(regex(
      "^(s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]/.+|(/[A-Za-z0-9_.-]+)+/?|[A-Za-z0-9_.-]+)$", coalesce(var.alias_map_param, "/")
    )) || var.alias_map_param == null
    error_message = "The alias_map_param is name, /path/name, /path/ or s3://bucket/key."
  }
  validation {
    condition     = var.alias_map == null || can(regex("^[^:]*[^:/]$", coalesce(var.alias_map_param, "/readdress/aliases")))
    error_message = "The alias_map is written to one SSM parameter: alias_map_param can be neither a path nor an object in S3."
  }
}

variable "alias_map_type" {
  description = "The type of the SSM parameter that is written: `String` or `SecureString`."
  type        = string
  default     = "String"
  nullable    = false

  validation {
    condition     = contains(["String", "SecureString"], var.alias_map_type)
    error_message = "The alias_map_type is String or SecureString."
  }
}

variable "alias_map_ttl" {
  description = "Seconds that the function keeps the alias map before it asks again."
  type        = number
  default     = 60
  nullable    = false

  validation {
    condition     = var.alias_map_ttl >= 0 && var.alias_map_ttl <= 86400 && floor(var.alias_map_ttl) == var.alias_map_ttl
    error_message = "The alias_map_ttl is a whole number of seconds, at most a day."
  }
}

variable "alias_key_param" {
  description = <<-EOT
    The SSM parameter, a SecureString, with the key by which one answers as the alias and signs aliases. It is made outside
    of Terraform, whose state would hold the secret: `readdress key new`, see docs/replies.md. Null: neither is on.
  EOT
  type        = string
  default     = null

  validation {
    condition     = can(regex("^((/[A-Za-z0-9_.-]+)+|[A-Za-z0-9_.-]+)$", var.alias_key_param)) || var.alias_key_param == null
    error_message = "The alias_key_param is name or /path/name."
  }
}

variable "alias_key_kms_key_arn" {
  description = "The KMS key that encrypts the parameter `alias_key_param`, if it is not the account's own for SSM."
  type        = string
  default     = null

  validation {
    condition     = can(regex("^arn:[a-z-]+:kms:[a-z0-9-]+:[0-9]{12}:key/.+$", var.alias_key_kms_key_arn)) || var.alias_key_kms_key_arn == null
    error_message = "The alias_key_kms_key_arn is the ARN of a KMS key."
  }
}

variable "alias_map_kms_key_arn" {
  description = "The KMS key of an alias map that is kept elsewhere, if it has a key of its own."
  type        = string
  default     = null

  validation {
    condition     = can(regex("^arn:[a-z-]+:kms:[a-z0-9-]+:[0-9]{12}:key/.+$", var.alias_map_kms_key_arn)) || var.alias_map_kms_key_arn == null
    error_message = "The alias_map_kms_key_arn is the ARN of a key, not of an alias."
  }
}

# How mail goes out: the settings of the function

variable "from_format" {
  description = "How From shows the sender: `full`, `name`, `via` or `alias`."
  type        = string
  default     = "full"
  nullable    = false

  validation {
    condition     = contains(["full", "name", "via", "alias"], var.from_format)
    error_message = "The from_format is full, name, via or alias."
  }
}

variable "from_email" {
  description = "A fixed address for From, in place of the alias; of one of the domains."
  type        = string
  default     = null

  validation {
    condition     = can(regex("^[^@\\s]+@[^@\\s]+$", var.from_email)) ? contains(keys(var.domains), split("@", var.from_email)[1]) : var.from_email == null
    error_message = "The from_email is an address of one of the domains: the function may send from no other."
  }
}

variable "to_header" {
  description = "What To shows: `keep` (what the sender wrote), `targets` or `alias`."
  type        = string
  default     = "keep"
  nullable    = false

  validation {
    condition     = contains(["targets", "alias", "keep"], var.to_header)
    error_message = "The to_header is targets, alias or keep."
  }
}

variable "subject_prefix" {
  description = "Put before the subject; at most 200 octets."
  type        = string
  default     = ""
  nullable    = false

  validation {
    # Octets, which length does not count: four characters of base64 stand for three of them.
    condition     = length(base64encode(var.subject_prefix)) <= 268 && !can(regex("[[:cntrl:]]", var.subject_prefix))
    error_message = "The subject_prefix is one line of at most 200 octets."
  }
}

variable "max_send_bytes" {
  description = "Octets that an outgoing message may have. The default is what every SES account takes."
  type        = number
  default     = 10485760
  nullable    = false

  validation {
    condition     = var.max_send_bytes >= 1024 && var.max_send_bytes <= 41943040 && floor(var.max_send_bytes) == var.max_send_bytes
    error_message = "The max_send_bytes is between 1024 and 41943040 (40 MiB, all that SES takes)."
  }
}

variable "feedback_email" {
  description = "Where SES sends bounces and complaints as mail: an address that is verified in SES, or SES refuses every mail. Not one of the aliases, where such a report is not forwarded, and ends as `bounced`."
  type        = string
  default     = null

  validation {
    condition     = can(regex("^[^@\\s]+@[^@\\s]+$", var.feedback_email)) || var.feedback_email == null
    error_message = "The feedback_email is an address."
  }
}

variable "email_tags" {
  description = "Tags of each message that is sent, which SES's events carry."
  type        = map(string)
  default     = {}
  nullable    = false

  validation {
    condition     = alltrue([for name, value in var.email_tags : can(regex("^[A-Za-z0-9_-]{1,256}$", name)) && can(regex("^[A-Za-z0-9_-]{1,256}$", value))])
    error_message = "Names and values of email_tags are of letters, digits, _ and -, at most 256."
  }
  validation {
    condition     = !contains(keys(var.email_tags), "readdress") && length(var.email_tags) <= 49
    error_message = "The email_tags are at most 49, and none has the name readdress: that is the function's own tag."
  }
}

variable "ledger" {
  description = "The key prefix in the bucket under which the function records what it has sent, so that no repetition of an event sends it again: a path such as ledger/, under which no mail lies. `off`: each process remembers what it has sent, and no other knows."
  type        = string
  default     = "ledger/"
  nullable    = false

  validation {
    condition     = can(regex("^(off|([A-Za-z0-9_.-]+/)+)$", var.ledger)) && length(var.ledger) <= 500
    error_message = "The ledger is off or a path such as ledger/, with a slash at its end and none at its start."
  }
  validation {
    condition     = !startswith(var.email_prefix, var.ledger)
    error_message = "The email_prefix lies in the ledger, whose objects are not taken for mail."
  }
}

variable "repair" {
  description = "How far a message is mended so that SES takes it: `parts`, `header` (every body stays as it came) or `off`."
  type        = string
  default     = "parts"
  nullable    = false

  validation {
    condition     = contains(["parts", "header", "off"], var.repair)
    error_message = "The repair is parts, header or off."
  }
}

variable "on_doubt" {
  description = "The treatment of a message that may have been sent, without a record of it: `resend`, perhaps for the second time, or `hold`, which fails."
  type        = string
  default     = "resend"
  nullable    = false

  validation {
    condition     = contains(["resend", "hold"], var.on_doubt)
    error_message = "The on_doubt is resend or hold."
  }
}

variable "on_spam" {
  description = "The treatment of mail that SES takes for spam: `forward`, `mark` (a `[SPAM]` before its subject) or `hold` (it stays in the bucket, and a notice goes out: see `notify`)."
  type        = string
  default     = "mark"
  nullable    = false

  validation {
    condition     = contains(["forward", "mark", "hold"], var.on_spam)
    error_message = "The on_spam is forward, mark or hold."
  }
}

variable "on_virus" {
  description = "The treatment of mail in which SES finds a virus: `forward`, `mark` or `hold`. SES sends no mail in which it finds one, so with the first two it ends as `sent`, and goes nowhere."
  type        = string
  default     = "hold"
  nullable    = false

  validation {
    condition     = contains(["forward", "mark", "hold"], var.on_virus)
    error_message = "The on_virus is forward, mark or hold."
  }
}

variable "on_dmarc" {
  description = "The treatment of mail whose From fails DMARC: `obey` (the sender's domain decides: its policy `reject` holds the mail, `quarantine` marks it with `[UNVERIFIED]`), or `forward`, `mark` or `hold` for all of it. A From of the alias's own domain is held whatever this says."
  type        = string
  default     = "obey"
  nullable    = false

  validation {
    condition     = contains(["obey", "forward", "mark", "hold"], var.on_dmarc)
    error_message = "The on_dmarc is obey, forward, mark or hold."
  }
}

variable "notify" {
  description = "The recipients of notices about mail that was held, bounced or refused: `targets` (those of the alias), an address, or `off`. Without a notice the invocation fails, and the event ends up in the queue. In the sandbox an address must be among `sandbox_targets`."
  type        = string
  default     = "targets"
  nullable    = false

  validation {
    condition     = can(regex("^(targets|off|[^@\\s<>]+@[^@\\s<>]+)$", var.notify))
    error_message = "The notify is targets, off or an address, without a name."
  }
}

variable "environment" {
  description = "More environment variables of the function, for settings that have no variable here."
  type        = map(string)
  default     = {}
  nullable    = false
}

# What receives

variable "create_rule_set" {
  description = "Whether to make a receipt rule set. False: join the existing one that `rule_set_name` names. It should stay: turned off, the set that was made is deleted, unless it is active."
  type        = bool
  default     = true
  nullable    = false
}

variable "rule_set_name" {
  description = "The receipt rule set that is made or joined; by default `name`. It should stay: mail comes to the old one until the new one is active."
  type        = string
  default     = null

  validation {
    condition     = var.create_rule_set || var.rule_set_name != null
    error_message = "To join a receipt rule set, rule_set_name must name it."
  }
  validation {
    condition     = can(regex("^[A-Za-z0-9]([A-Za-z0-9_.-]{0,62}[A-Za-z0-9])?$", coalesce(var.rule_set_name, "readdress")))
    error_message = "The rule_set_name has 1 to 64 letters, digits, dots, hyphens and underscores, with a letter or digit at both ends."
  }
}

variable "activate_rule_set" {
  description = <<-EOT
    Has no effect any more: the module activates no receipt rule set, so that it can neither take the place of another
    nor deactivate one. The output `activate` has the command.
  EOT
  type        = bool
  default     = null
}

variable "rule_after" {
  description = "The rule of the set behind which ours come. By default they come first. With another, or none, the rules are made anew in their place."
  type        = string
  default     = null

  validation {
    condition     = var.rule_after == null || !var.create_rule_set
    error_message = "There is no rule to come after in a rule set that is just made."
  }
}

variable "recipients" {
  description = <<-EOT
    The recipients of the forwarding rule: addresses and domains, at most 100. By default the keys of `alias_map`, or
    the whole domains if the map is kept elsewhere. An address receives for all of its `+tag` forms too.
  EOT
  type        = set(string)
  default     = null

  validation {
    condition = try(length(var.recipients) > 0, true) && alltrue([
      for recipient in var.recipients == null ? [] : tolist(var.recipients) :
      can(regex("^([^@\\s]+@)?[^@\\s]+$", recipient)) && contains(keys(var.domains), reverse(split("@", recipient))[0])
    ])
    error_message = "The recipients are addresses of the domains, in lower case, or the domains themselves."
  }
}

variable "reject_unknown" {
  description = <<-EOT
    Whether a second rule bounces, with 550 5.1.1, what the first does not take. SES lets no unverified domain be the
    sender of bounces, so the rule waits for that of `reject_sender`.
  EOT
  type        = bool
  default     = true
  nullable    = false
}

variable "reject_sender" {
  description = "The sender of those bounces, of one of the domains; by default `mailer-daemon@` the first of them."
  type        = string
  default     = null

  validation {
    condition     = can(regex("^[^@\\s]+@[^@\\s]+$", var.reject_sender)) ? contains(keys(var.domains), split("@", var.reject_sender)[1]) : var.reject_sender == null
    error_message = "The reject_sender is an address of one of the domains."
  }
}

variable "reject_message" {
  description = "What those bounces say."
  type        = string
  default     = "There is no such mailbox here."
  nullable    = false

  validation {
    condition     = can(regex("^[ -~]{1,200}$", var.reject_message))
    error_message = "The reject_message is one line of ASCII, at most 200 characters."
  }
}

variable "scan_enabled" {
  description = "Whether SES looks for spam and viruses. It only says what it found, and keeps nothing back: `on_spam` and `on_virus` decide, and without it have nothing to decide on."
  type        = bool
  default     = true
  nullable    = false
}

variable "tls_policy" {
  description = "`Require`: SES bounces what does not come over TLS. `Optional`: it takes that too."
  type        = string
  default     = "Require"
  nullable    = false

  validation {
    condition     = contains(["Require", "Optional"], var.tls_policy)
    error_message = "The tls_policy is Require or Optional."
  }
}

variable "check_region" {
  description = "Whether to stop where SES is not known to receive mail. Set it to false in a region that SES has since learnt."
  type        = bool
  default     = true
  nullable    = false
}

# Where mail lies

variable "bucket_name" {
  description = "The bucket for mail; by default `<name>-<account>-<region>`."
  type        = string
  default     = null

  validation {
    condition     = can(regex("^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$", coalesce(var.bucket_name, "readdress")))
    error_message = "The bucket_name has 3 to 63 lower-case letters, digits, dots and hyphens."
  }
}

variable "email_prefix" {
  description = "What precedes the message id in the bucket."
  type        = string
  default     = "inbound/"
  nullable    = false

  validation {
    condition     = can(regex("^([A-Za-z0-9_.-]+/)*$", var.email_prefix)) && length(var.email_prefix) <= 500
    error_message = "The email_prefix is empty or a path such as inbound/, with a slash at its end and none at its start."
  }
}

variable "email_expiration_days" {
  description = "Days after which mail is deleted from the bucket, sent or not. Null: it is kept for ever."
  type        = number
  default     = 30

  validation {
    # A failed message waits in the queue for up to 14 days. It needs its mail.
    condition     = coalesce(var.email_expiration_days, 30) >= 15 && floor(coalesce(var.email_expiration_days, 30)) == coalesce(var.email_expiration_days, 30)
    error_message = "The email_expiration_days are 15 or more: what failed waits 14 days in the queue, and needs its mail."
  }
}

variable "bucket_force_destroy" {
  description = "Whether `terraform destroy` may delete the bucket with the mail in it."
  type        = bool
  default     = false
  nullable    = false
}

variable "kms_key_arn" {
  description = <<-EOT
    A KMS key for the bucket, the queue, the events topic, the log group and a `SecureString` alias map, in place of AWS's own keys. Its
    policy must let `ses.amazonaws.com` and `logs.<region>.amazonaws.com` use it: see examples/complete.
  EOT
  type        = string
  default     = null

  validation {
    # With an alias S3 would take the key of that name in the account of the caller, here that of SES.
    condition     = can(regex("^arn:[a-z-]+:kms:[a-z0-9-]+:[0-9]{12}:key/.+$", var.kms_key_arn)) || var.kms_key_arn == null
    error_message = "The kms_key_arn is the ARN of a key, not of an alias."
  }
}

# The function

variable "name" {
  description = "The function's name, and what other names begin with. Two installations in one account and region need two names. It should stay: under another name all is made anew."
  type        = string
  default     = "readdress"
  nullable    = false

  validation {
    # The bucket's name has account and region behind it, and 63 characters at most.
    condition     = can(regex("^[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?$", var.name))
    error_message = "The name has 1 to 32 lower-case letters, digits and hyphens, with a letter or digit at both ends."
  }
}

variable "memory_size" {
  description = "The function's memory in MB. Memory use does not grow with the message; more memory is more CPU."
  type        = number
  default     = 128
  nullable    = false

  validation {
    condition     = var.memory_size >= 128 && var.memory_size <= 10240 && floor(var.memory_size) == var.memory_size
    error_message = "The memory_size is between 128 and 10240 MB."
  }
}

variable "timeout" {
  description = <<-EOT
    Seconds that one invocation may take. The default lets a message of 10 MiB, 14 MB once encoded, go out at
    50 KB/s; with `max_send_bytes` of 40 MiB take 900. Time that is not used costs nothing.
  EOT
  type        = number
  default     = 300
  nullable    = false

  validation {
    condition     = var.timeout >= 10 && var.timeout <= 900 && floor(var.timeout) == var.timeout
    error_message = "The timeout is between 10 and 900 seconds."
  }
}

variable "reserved_concurrency" {
  description = <<-EOT
    How many invocations may run at once; 0 stops forwarding while mail still comes in. Null: as many as the account
    has. New accounts have too few to reserve any.
  EOT
  type        = number
  default     = null

  validation {
    condition     = coalesce(var.reserved_concurrency, 0) >= 0 && floor(coalesce(var.reserved_concurrency, 0)) == coalesce(var.reserved_concurrency, 0)
    error_message = "The reserved_concurrency is a whole number, 0 or more."
  }
}

variable "retry_attempts" {
  description = "How often Lambda repeats an invocation that failed, before it goes to the queue."
  type        = number
  default     = 2
  nullable    = false

  validation {
    condition     = contains([0, 1, 2], var.retry_attempts)
    error_message = "The retry_attempts are 0, 1 or 2."
  }
}

variable "event_age_seconds" {
  description = "Seconds after which an invocation that could not be made goes to the queue."
  type        = number
  default     = 21600
  nullable    = false

  validation {
    condition     = var.event_age_seconds >= 60 && var.event_age_seconds <= 21600 && floor(var.event_age_seconds) == var.event_age_seconds
    error_message = "The event_age_seconds are between 60 and 21600."
  }
}

variable "log_level" {
  description = "`INFO` or `DEBUG`. With anything higher Lambda would drop the lines that carry the metrics."
  type        = string
  default     = "INFO"
  nullable    = false

  validation {
    condition     = contains(["INFO", "DEBUG"], var.log_level)
    error_message = "The log_level is INFO or DEBUG."
  }
}

variable "log_retention_days" {
  description = "Days that logs are kept, of those that CloudWatch knows; 0 for ever."
  type        = number
  default     = 30
  nullable    = false

  validation {
    condition = contains(
      [0, 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653],
      var.log_retention_days
    )
    error_message = "The log_retention_days are of 0, 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653."
  }
}

variable "permissions_boundary" {
  description = "The ARN of a policy that bounds the function's role, where an organisation demands one."
  type        = string
  default     = null
}

# What sends

variable "sandbox_targets" {
  description = <<-EOT
    Targets to which the function may send while SES keeps the account in its sandbox, which needs a permission of its
    own for each. They are verified by `aws sesv2 create-email-identity`, after which SES mails them a link to follow.
  EOT
  type        = set(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for target in var.sandbox_targets : can(regex("^[^@\\s]+@[^@\\s]+$", target))])
    error_message = "The sandbox_targets are addresses."
  }
}

variable "suppressed_reasons" {
  description = <<-EOT
    Reasons for which SES puts a target on the suppression list, after which it accepts mail for the target and sends none: `BOUNCE`, `COMPLAINT`,
    both, or nothing (`[]`). Not `COMPLAINT` by default, or one click on "spam" would end the forwarding to that mailbox.
    `BOUNCE` may do so for a mail that the mailbox's provider refuses as spam; docs/operations.md has what speaks for
    either.
  EOT
  type        = set(string)
  default     = ["BOUNCE"]
  nullable    = false

  validation {
    condition     = length(setsubtract(var.suppressed_reasons, ["BOUNCE", "COMPLAINT"])) == 0
    error_message = "The suppressed_reasons are BOUNCE, COMPLAINT, both or none."
  }
}

variable "delivery_tls_policy" {
  description = "`OPTIONAL`: SES delivers over TLS where the target's server can. `REQUIRE`: it delivers nowhere else."
  type        = string
  default     = "OPTIONAL"
  nullable    = false

  validation {
    condition     = contains(["OPTIONAL", "REQUIRE"], var.delivery_tls_policy)
    error_message = "The delivery_tls_policy is OPTIONAL or REQUIRE."
  }
}

variable "create_events_topic" {
  description = "Whether to make an SNS topic by which SES tells the function of each bounce, complaint, rejection and delay of what it has sent. The function needs its ledger for that: with `ledger` off none is made."
  type        = bool
  default     = true
  nullable    = false
}

# An object: whether there is one is known in a plan that has yet to make the topic.
variable "events_topic" {
  description = "An SNS topic that takes the place of the one that would be made for the function, `{ arn = ... }`; its policy, and that of its key, must let `ses.amazonaws.com` in. From no other does the function take such events."
  type        = object({ arn = string })
  default     = null

  validation {
    condition     = can(regex("^arn:[a-z-]+:sns:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_-]+$", var.events_topic.arn)) || var.events_topic == null
    error_message = "The arn of the events_topic is that of an SNS topic that is not a FIFO one."
  }
  validation {
    condition     = var.events_topic == null || var.ledger != "off"
    error_message = "An events_topic is of no use with the ledger off: the function believes a report only of mail that its ledger knows."
  }
}

# A list: whether there is one is known in a plan that has yet to make the topic.
variable "events_topic_arns" {
  description = "SNS topics of your own that get each bounce, complaint, rejection and delay too; their policies, and those of their keys, must let `ses.amazonaws.com` in."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for arn in var.events_topic_arns : can(regex("^arn:[a-z-]+:sns:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_-]+$", arn))])
    error_message = "The events_topic_arns are ARNs of SNS topics that are not FIFO ones."
  }
}

# Alarms

variable "create_alarms" {
  description = "Whether to make the alarms."
  type        = bool
  default     = true
  nullable    = false
}

variable "alarm_topic_arns" {
  description = "SNS topics for the alarms; their policies, and those of their keys, must let `cloudwatch.amazonaws.com` in. Without one the alarms only show in the console."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for arn in var.alarm_topic_arns : can(regex("^arn:[a-z-]+:sns:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_-]+$", arn))])
    error_message = "The alarm_topic_arns are ARNs of SNS topics that are not FIFO ones."
  }
}

variable "bounce_rate_threshold" {
  description = "The account's bounce rate that alarms. SES reviews accounts from 0.05 on and may pause them from 0.1."
  type        = number
  default     = 0.05
  nullable    = false

  validation {
    condition     = var.bounce_rate_threshold > 0 && var.bounce_rate_threshold <= 1
    error_message = "The bounce_rate_threshold is a part of one: 0.05 is 5 %."
  }
}

variable "complaint_rate_threshold" {
  description = "The account's complaint rate that alarms. SES reviews accounts from 0.001 on and may pause them from 0.005."
  type        = number
  default     = 0.001
  nullable    = false

  validation {
    condition     = var.complaint_rate_threshold > 0 && var.complaint_rate_threshold <= 1
    error_message = "The complaint_rate_threshold is a part of one: 0.001 is 0.1 %."
  }
}

variable "metrics_namespace" {
  description = "The CloudWatch namespace of the function's own metrics."
  type        = string
  default     = "readdress"
  nullable    = false

  validation {
    condition     = can(regex("^[A-Za-z0-9_./#-]{1,255}$", var.metrics_namespace)) && !startswith(var.metrics_namespace, "AWS/")
    error_message = "The metrics_namespace has 1 to 255 letters, digits and ._-/#, and does not begin with AWS/."
  }
}

variable "tags" {
  description = "Tags of everything that can have them."
  type        = map(string)
  default     = {}
  nullable    = false
}
