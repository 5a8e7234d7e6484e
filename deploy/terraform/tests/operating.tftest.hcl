# What SES does with outgoing mail, and what the operator hears.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  domains = {
    "example.com" = { route53 = { zone_id = "Z1" } }
  }
  alias_map = { "shop@example.com" = ["jane@example.net"] }
  package = {
    file         = "tests/package.txt"
    architecture = "arm64"
  }
  alarm_topic_arns  = ["arn:aws:sns:eu-west-1:111122223333:operator"]
  events_topic_arns = ["arn:aws:sns:eu-west-1:111122223333:events"]
}

run "the_configuration_set" {
  command = plan

  assert {
    condition = (
      aws_sesv2_configuration_set.this.configuration_set_name == "readdress"
      && aws_sesv2_configuration_set.this.delivery_options[0].tls_policy == "OPTIONAL"
      && aws_sesv2_configuration_set.this.reputation_options[0].reputation_metrics_enabled
    )
    error_message = "the configuration set has reputation metrics"
  }
  # With COMPLAINT one click on "spam" would end the forwarding to that mailbox, and nobody would be told.
  assert {
    condition     = aws_sesv2_configuration_set.this.suppression_options[0].suppressed_reasons == tolist(["BOUNCE"])
    error_message = "complaints suppress nothing"
  }
  # Tracking would rewrite the body.
  assert {
    condition = length(aws_sesv2_configuration_set.this.tracking_options) == 0 && alltrue([
      for destination in concat([aws_sesv2_configuration_set_event_destination.metrics], aws_sesv2_configuration_set_event_destination.topic) :
      length(setintersection(["OPEN", "CLICK"], destination.event_destination[0].matching_event_types)) == 0
    ])
    error_message = "opens and clicks are tracked"
  }
  assert {
    condition = alltrue([
      for destination in concat([aws_sesv2_configuration_set_event_destination.metrics], aws_sesv2_configuration_set_event_destination.topic) :
      length(setsubtract(["BOUNCE", "COMPLAINT"], destination.event_destination[0].matching_event_types)) == 0
      && destination.event_destination[0].enabled
    ])
    error_message = "bounces and complaints are told"
  }
  assert {
    condition     = aws_sesv2_configuration_set_event_destination.topic[0].event_destination[0].sns_destination[0].topic_arn == var.events_topic_arns[0]
    error_message = "the topic gets them"
  }
}

# The provider cannot take the reasons off a configuration set that is there: what the account says would count then.
run "nothing_is_suppressed" {
  variables {
    suppressed_reasons = []
  }

  assert {
    condition = (
      length(aws_sesv2_configuration_set.this.suppression_options) == 1
      && length(aws_sesv2_configuration_set.this.suppression_options[0].suppressed_reasons) == 0
      && aws_sesv2_configuration_set.this.configuration_set_name == "readdress-unsuppressed"
    )
    error_message = "no reason suppresses, in a set that is made so"
  }
  assert {
    condition = alltrue([
      aws_lambda_function.forward.environment[0].variables.CONFIGURATION_SET == "readdress-unsuppressed",
      strcontains(aws_iam_role_policy.function.policy, ":configuration-set/readdress-unsuppressed\""),
      aws_cloudwatch_metric_alarm.this["bounced"].dimensions == tomap({ "ses:configuration-set" = "readdress-unsuppressed" }),
    ])
    error_message = "the function sends with another set than the one that is made"
  }
}

run "events_for_the_function" {
  assert {
    condition = jsondecode(aws_sns_topic_policy.events[0].policy).Statement == [
      {
        Sid       = "SesPublishes"
        Effect    = "Allow"
        Principal = { Service = "ses.amazonaws.com" }
        Action    = "sns:Publish"
        Resource  = "arn:aws:sns:eu-west-1:111122223333:readdress-events"
        Condition = {
          StringEquals = {
            "aws:SourceAccount" = "111122223333"
            "aws:SourceArn"     = "arn:aws:ses:eu-west-1:111122223333:configuration-set/readdress"
          }
        }
      },
    ]
    error_message = "nobody but this configuration set may publish: ${aws_sns_topic_policy.events[0].policy}"
  }
  assert {
    condition = (
      aws_sns_topic.events[0].name == "readdress-events"
      && aws_lambda_function.forward.environment[0].variables.EVENTS_TOPIC == output.events_topic_arn
      && output.events_topic_arn == "arn:aws:sns:eu-west-1:111122223333:readdress-events"
    )
    error_message = "the function hears another topic than the one that is made"
  }
  assert {
    condition = (
      aws_sns_topic_subscription.events[0].topic_arn == output.events_topic_arn
      && aws_sns_topic_subscription.events[0].protocol == "lambda"
      && aws_sns_topic_subscription.events[0].endpoint == aws_lambda_function.forward.arn
      && aws_lambda_permission.events[0].principal == "sns.amazonaws.com"
      && aws_lambda_permission.events[0].source_arn == output.events_topic_arn
      && aws_lambda_permission.events[0].function_name == "readdress"
    )
    error_message = "the topic invokes the function, and nothing else of SNS may"
  }
  assert {
    condition = (
      aws_sesv2_configuration_set_event_destination.function[0].event_destination[0].sns_destination[0].topic_arn == output.events_topic_arn
      && aws_sesv2_configuration_set_event_destination.function[0].configuration_set_name == "readdress"
      && aws_sesv2_configuration_set_event_destination.function[0].event_destination[0].enabled
      && aws_sesv2_configuration_set_event_destination.function[0].event_destination[0].matching_event_types == toset(["BOUNCE", "COMPLAINT", "DELIVERY_DELAY", "REJECT"])
    )
    error_message = "the function is told what SES reports"
  }
}

run "events_of_another_topic" {
  command = plan

  variables {
    events_topic = { arn = "arn:aws:sns:eu-west-1:111122223333:company" }
  }

  override_resource {
    target          = aws_lambda_function.forward
    override_during = plan
    values          = { arn = "arn:aws:lambda:eu-west-1:111122223333:function:readdress" }
  }

  assert {
    condition     = length(aws_sns_topic.events) == 0 && length(aws_sns_topic_policy.events) == 0
    error_message = "a topic is made beside the one that is given"
  }
  assert {
    condition = alltrue([
      for arn in [
        aws_sns_topic_subscription.events[0].topic_arn, aws_lambda_permission.events[0].source_arn,
        aws_lambda_function.forward.environment[0].variables.EVENTS_TOPIC,
        aws_sesv2_configuration_set_event_destination.function[0].event_destination[0].sns_destination[0].topic_arn,
      ] : arn == "arn:aws:sns:eu-west-1:111122223333:company"
    ])
    error_message = "the given topic is used throughout"
  }
}

run "no_events" {
  command = plan

  variables {
    create_events_topic = false
  }

  assert {
    condition = (
      length(aws_sns_topic.events) + length(aws_sns_topic_subscription.events) + length(aws_lambda_permission.events) == 0
      && length(aws_sesv2_configuration_set_event_destination.function) == 0
      && !contains(keys(aws_lambda_function.forward.environment[0].variables), "EVENTS_TOPIC")
    )
    error_message = "the function is told of nothing, and nothing is made for it"
  }
}

# With the setting, and without the ledger, the function would not start.
run "no_events_without_a_ledger" {
  command = plan

  variables {
    ledger = "off"
  }

  assert {
    condition = (
      length(aws_sns_topic.events) + length(aws_sns_topic_subscription.events) + length(aws_lambda_permission.events) == 0
      && length(aws_sesv2_configuration_set_event_destination.function) == 0
      && !contains(keys(aws_lambda_function.forward.environment[0].variables), "EVENTS_TOPIC")
    )
    error_message = "the function is told of what it cannot know"
  }
}

run "alarms" {
  command = plan

  assert {
    condition = {
      for key, alarm in aws_cloudwatch_metric_alarm.this :
      key => "${alarm.namespace} ${alarm.metric_name} ${alarm.statistic} ${alarm.threshold} ${jsonencode(alarm.dimensions)}"
      } == {
      failed         = "readdress failed Sum 1 {\"FunctionName\":\"readdress\"}"
      too-large      = "readdress too_large Sum 1 {\"FunctionName\":\"readdress\"}"
      no-alias       = "readdress no_alias Sum 1 {\"FunctionName\":\"readdress\"}"
      errors         = "AWS/Lambda Errors Sum 1 {\"FunctionName\":\"readdress\"}"
      dead-letters   = "AWS/SQS ApproximateNumberOfMessagesVisible Maximum 1 {\"QueueName\":\"readdress-failed\"}"
      lost-events    = "AWS/Lambda DestinationDeliveryFailures Sum 1 {\"FunctionName\":\"readdress\"}"
      bounced        = "AWS/SES Bounce Sum 1 {\"ses:configuration-set\":\"readdress\"}"
      refused        = "AWS/SES Reject Sum 1 {\"ses:configuration-set\":\"readdress\"}"
      bounce-rate    = "AWS/SES Reputation.BounceRate Maximum 0.05 {}"
      complaint-rate = "AWS/SES Reputation.ComplaintRate Maximum 0.001 {}"
    }
    error_message = "the alarms watch what they are named for"
  }
  assert {
    condition = alltrue([
      for alarm in aws_cloudwatch_metric_alarm.this :
      alarm.comparison_operator == "GreaterThanOrEqualToThreshold" && alarm.treat_missing_data == "notBreaching"
      && alarm.alarm_actions == toset(["arn:aws:sns:eu-west-1:111122223333:operator"])
    ])
    error_message = "each tells the operator, and none that there was no mail"
  }
  # The alarm's dimension must be the one that the event destination counts by.
  assert {
    condition = (
      aws_sesv2_configuration_set_event_destination.metrics.event_destination[0].cloud_watch_destination[0].dimension_configuration[0].dimension_name
      == one(keys(aws_cloudwatch_metric_alarm.this["bounced"].dimensions))
    )
    error_message = "bounces are counted under another dimension"
  }
}

# Of a whole domain anybody can ask for an alias that there is none of.
run "no_alarm_for_guesses" {
  command = plan

  variables {
    recipients = ["example.com"]
  }

  assert {
    condition     = !contains(keys(aws_cloudwatch_metric_alarm.this), "no-alias")
    error_message = "an alarm that strangers can ring"
  }
}

run "no_alarms" {
  command = plan

  variables {
    create_alarms     = false
    alarm_topic_arns  = []
    events_topic_arns = []
  }

  assert {
    condition     = length(aws_cloudwatch_metric_alarm.this) == 0 && length(aws_sesv2_configuration_set_event_destination.topic) == 0
    error_message = "alarms and topics are left out"
  }
}

run "tags" {
  command = plan

  variables {
    tags = { service = "mail" }
  }

  assert {
    condition = alltrue([
      for tags in [
        aws_s3_bucket.mail.tags, aws_lambda_function.forward.tags, aws_sqs_queue.failed.tags, aws_iam_role.function.tags,
        aws_cloudwatch_log_group.function.tags, aws_ssm_parameter.alias_map[0].tags, aws_sesv2_configuration_set.this.tags,
        aws_sesv2_email_identity.domain["example.com"].tags, aws_cloudwatch_metric_alarm.this["failed"].tags,
        aws_sns_topic.events[0].tags,
      ] : tags == tomap({ service = "mail" })
    ])
    error_message = "everything that can have tags has them"
  }
}
