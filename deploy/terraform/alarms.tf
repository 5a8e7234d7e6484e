# What the operator must hear of. Each alarm is one line of this table.
#
# Mail that is held raises none: a stranger could raise it with spam, and the owner gets a notice. If no notice can be sent, the
# invocation fails, and the alarms errors and dead-letters are raised. More than ten alarms would cost by the month.

locals {
  of_function = { FunctionName = aws_lambda_function.forward.function_name }

  alarms = {
    failed = {
      description = "A message was not forwarded. It is in the bucket, and is tried again unless the log says why not."
      namespace   = var.metrics_namespace
      metric      = "failed"
      dimensions  = local.of_function
    }
    too-large = {
      description = "A message is over MAX_SEND_BYTES. It is in the bucket; if nobody could be told by mail, its event ends up in the queue."
      namespace   = var.metrics_namespace
      metric      = "too_large"
      dimensions  = local.of_function
    }
    no-alias = {
      description = "The alias map does not know a recipient whom the receipt rule names. Its mail is in the bucket, and nobody's."
      namespace   = var.metrics_namespace
      metric      = "no_alias"
      dimensions  = local.of_function
    }
    errors = {
      description = "An invocation failed or ran out of time. Lambda repeats it ${var.retry_attempts} times."
      namespace   = "AWS/Lambda"
      metric      = "Errors"
      dimensions  = local.of_function
    }
    dead-letters = {
      description = "Events wait in the queue ${local.queue_name}: each is a message in the bucket that was not forwarded."
      namespace   = "AWS/SQS"
      metric      = "ApproximateNumberOfMessagesVisible"
      dimensions  = { QueueName = local.queue_name }
      statistic   = "Maximum"
    }
    lost-events = {
      description = "An event reached neither the function nor the queue. Its message is in the bucket; nothing else tells of it."
      namespace   = "AWS/Lambda"
      metric      = "DestinationDeliveryFailures"
      dimensions  = local.of_function
    }
    bounced = {
      description = "A target did not take a forwarded message, or is on the suppression list for that: then it gets no mail until it is taken off."
      namespace   = "AWS/SES"
      metric      = "Bounce"
      dimensions  = { "ses:configuration-set" = local.configuration_set }
    }
    refused = {
      description = "SES took a forwarded message and then did not deliver it: it found a virus in it."
      namespace   = "AWS/SES"
      metric      = "Reject"
      dimensions  = { "ses:configuration-set" = local.configuration_set }
    }
    bounce-rate = {
      description = "The account's bounce rate endangers its right to send."
      namespace   = "AWS/SES"
      metric      = "Reputation.BounceRate"
      dimensions  = {}
      statistic   = "Maximum"
      threshold   = var.bounce_rate_threshold
      period      = 3600
    }
    complaint-rate = {
      description = "The account's complaint rate endangers its right to send."
      namespace   = "AWS/SES"
      metric      = "Reputation.ComplaintRate"
      dimensions  = {}
      statistic   = "Maximum"
      threshold   = var.complaint_rate_threshold
      period      = 3600
    }
  }
}

locals {
  # Where a whole domain is taken, everybody's guesses at an address are unknown to the map.
  takes_a_domain = anytrue([for recipient in local.recipients : !strcontains(recipient, "@")])
}

resource "aws_cloudwatch_metric_alarm" "this" {
  for_each = {
    for key, alarm in local.alarms : key => alarm
    if var.create_alarms && !(key == "no-alias" && local.takes_a_domain)
  }

  alarm_name          = "${var.name}-${each.key}"
  alarm_description   = each.value.description
  namespace           = each.value.namespace
  metric_name         = each.value.metric
  dimensions          = each.value.dimensions
  statistic           = try(each.value.statistic, "Sum")
  comparison_operator = "GreaterThanOrEqualToThreshold"
  threshold           = try(each.value.threshold, 1)
  period              = try(each.value.period, 300)
  evaluation_periods  = 1
  # No mail is no failure.
  treat_missing_data = "notBreaching"
  alarm_actions      = var.alarm_topic_arns
  tags               = var.tags
}
