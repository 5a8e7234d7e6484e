output "dns_records" {
  description = "All records that DNS must have: name, type, ttl, values; `created` where the module has made it in Route53."
  value = [
    for key, record in local.records : {
      name    = record.name
      type    = record.type
      ttl     = local.ttl
      values  = record.values
      created = contains(keys(local.route53_records), key)
    }
  ]
}

output "identities" {
  description = "The SES identities that the module has made, for settings of theirs that it leaves alone."
  value       = keys(aws_sesv2_email_identity.domain)
}

output "function_name" {
  description = "The function."
  value       = aws_lambda_function.forward.function_name
}

output "function_arn" {
  description = "The function's ARN."
  value       = aws_lambda_function.forward.arn
}

output "role_name" {
  description = "The function's role, for policies of your own."
  value       = aws_iam_role.function.name
}

output "log_group_name" {
  description = "The log: a JSON line for each outcome."
  value       = aws_cloudwatch_log_group.function.name
}

output "bucket_name" {
  description = "The bucket where mail lies."
  value       = aws_s3_bucket.mail.id
}

output "alias_map_param" {
  description = "Where the alias map is: an SSM parameter, a path, or `s3://bucket/key`."
  value       = local.alias_map_param
}

output "queue_url" {
  description = "The queue of events that failed."
  value       = aws_sqs_queue.failed.id
}

output "queue_arn" {
  description = "The queue's ARN."
  value       = aws_sqs_queue.failed.arn
}

output "configuration_set_name" {
  description = "The configuration set that the function sends with."
  value       = aws_sesv2_configuration_set.this.configuration_set_name
}

output "events_topic_arn" {
  description = "The topic by which SES tells the function of bounces and the like; null without one."
  value       = local.events_topic_arn
}

output "rule_set_name" {
  description = "The receipt rule set."
  value       = local.rule_set_name
}

output "activate" {
  description = "The command that makes the receipt rule set the active one of the account and region. No mail comes in before."
  value       = "aws ses set-active-receipt-rule-set --region ${local.region} --rule-set-name ${local.rule_set_name}"
}

output "last_rule_name" {
  description = "The last of our rules, for a rule of yours to come after."
  value       = try(aws_ses_receipt_rule.reject[0].name, aws_ses_receipt_rule.forward.name)
}

output "recipients" {
  description = "The recipients of the forwarding rule."
  value       = local.recipients
}

output "alarm_names" {
  description = "The alarms, by what they watch."
  value       = { for key, alarm in aws_cloudwatch_metric_alarm.this : key => alarm.alarm_name }
}
