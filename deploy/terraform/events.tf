# What SES tells the function of the mail that it has sent: a topic, to which this configuration set alone publishes.

locals {
  # The function believes a report only of mail that its ledger knows.
  makes_events_topic = var.create_events_topic && var.events_topic == null && var.ledger != "off"
  hears_events       = (var.create_events_topic || var.events_topic != null) && var.ledger != "off"

  events_topic_name = "${var.name}-events"
  events_topic_arn = (
    local.makes_events_topic ? "arn:${local.partition}:sns:${local.region}:${local.account}:${local.events_topic_name}" :
    local.hears_events ? var.events_topic.arn : null
  )
}

resource "aws_sns_topic" "events" {
  #checkov:skip=CKV_AWS_26: a key of one's own is var.kms_key_arn; SES cannot publish through AWS's own
  count = local.makes_events_topic ? 1 : 0

  name              = local.events_topic_name
  kms_master_key_id = var.kms_key_arn
  tags              = var.tags
}

resource "aws_sns_topic_policy" "events" {
  count = local.makes_events_topic ? 1 : 0

  arn = aws_sns_topic.events[0].arn
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "SesPublishes"
      Effect    = "Allow"
      Principal = { Service = "ses.amazonaws.com" }
      Action    = "sns:Publish"
      Resource  = local.events_topic_arn
      Condition = {
        StringEquals = {
          "aws:SourceAccount" = local.account
          "aws:SourceArn"     = local.configuration_set_arn
        }
      }
    }]
  })
}

resource "aws_lambda_permission" "events" {
  count = local.hears_events ? 1 : 0

  statement_id  = "EventsInvoke"
  function_name = aws_lambda_function.forward.function_name
  action        = "lambda:InvokeFunction"
  principal     = "sns.amazonaws.com"
  source_arn    = local.events_topic_arn
}

resource "aws_sns_topic_subscription" "events" {
  count = local.hears_events ? 1 : 0

  topic_arn = local.events_topic_arn
  protocol  = "lambda"
  endpoint  = aws_lambda_function.forward.arn

  depends_on = [
    aws_sns_topic.events,
    aws_lambda_permission.events,
    aws_lambda_function_event_invoke_config.forward,
  ]
}

resource "aws_sesv2_configuration_set_event_destination" "function" {
  count = local.hears_events ? 1 : 0

  configuration_set_name = aws_sesv2_configuration_set.this.configuration_set_name
  event_destination_name = "function"

  event_destination {
    enabled              = true
    matching_event_types = ["BOUNCE", "COMPLAINT", "DELIVERY_DELAY", "REJECT"]

    sns_destination {
      topic_arn = local.events_topic_arn
    }
  }

  # SES tries the topic when it becomes the destination; and what it tells must find somebody who listens.
  depends_on = [aws_sns_topic_policy.events, aws_sns_topic_subscription.events]
}
