# What SES does with what the function sends.

resource "aws_sesv2_configuration_set" "this" {
  configuration_set_name = local.configuration_set
  tags                   = var.tags

  delivery_options {
    tls_policy = var.delivery_tls_policy
  }

  reputation_options {
    reputation_metrics_enabled = true
  }

  sending_options {
    sending_enabled = true
  }

  suppression_options {
    suppressed_reasons = var.suppressed_reasons
  }

  # No tracking_options, and no OPEN or CLICK below: for these SES would rewrite the body.
}

# Counts them in CloudWatch (namespace AWS/SES): a bounce is a mail that its target did not get.
resource "aws_sesv2_configuration_set_event_destination" "metrics" {
  configuration_set_name = aws_sesv2_configuration_set.this.configuration_set_name
  event_destination_name = "metrics"

  event_destination {
    enabled              = true
    matching_event_types = ["BOUNCE", "COMPLAINT", "REJECT"]

    cloud_watch_destination {
      dimension_configuration {
        dimension_name          = "ses:configuration-set"
        dimension_value_source  = "MESSAGE_TAG"
        default_dimension_value = local.configuration_set
      }
    }
  }
}

resource "aws_sesv2_configuration_set_event_destination" "topic" {
  count = length(var.events_topic_arns)

  configuration_set_name = aws_sesv2_configuration_set.this.configuration_set_name
  event_destination_name = "topic-${count.index + 1}"

  event_destination {
    enabled              = true
    matching_event_types = ["BOUNCE", "COMPLAINT", "DELIVERY_DELAY", "REJECT"]

    sns_destination {
      topic_arn = var.events_topic_arns[count.index]
    }
  }
}

# Targets are not verified here: SES makes no identity twice, so one that is there already would stop the apply. What an
# earlier version of this module has made stays, since without it the target would get no mail.
removed {
  from = aws_sesv2_email_identity.sandbox_target

  lifecycle {
    destroy = false
  }
}
