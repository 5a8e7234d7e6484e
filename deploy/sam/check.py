"""Checks the template without AWS: cfn-lint on it as it is and as SAM translates it, then stacks made in moto.

    deploy/python deploy/sam/check.py

moto makes what a template says and enforces nothing: whether the permissions suffice is the end-to-end test's to tell
(deploy/e2e). It has no event destinations of configuration sets; those are made there too.
"""

import ast
import io
import json
import logging
import os
import re
import unittest
import warnings
import zipfile

os.environ.update(AWS_ACCESS_KEY_ID="testing", AWS_SECRET_ACCESS_KEY="testing")

import boto3
from cfnlint.api import lint
from cfnlint.core import get_rules
from moto import mock_aws
from moto.cloudformation.parsing import get_model_map

from samtranslator.yaml_helper import yaml_parse

import moto_types  # noqa: F401  (it registers types)
from stack import TEMPLATE, parameters, translated

REGION = "eu-west-1"
ACCOUNT = "123456789012"
NOT_IN_MOTO = {"AWS::SES::ConfigurationSetEventDestination"}

# All of cfn-lint's but what is only advice (I).
RULES = get_rules([], [], ["E", "W"])

DOMAIN = "example.com"
ALIASES = '{"shop@example.com": ["jane@example.net"]}'
TOPIC = f"arn:aws:sns:{REGION}:{ACCOUNT}:alarms"
EVENTS = f"arn:aws:sns:{REGION}:{ACCOUNT}:readdress-events"
RULE = f"arn:aws:ses:{REGION}:{ACCOUNT}:receipt-rule-set/readdress:receipt-rule/readdress-forward"


class Lint(unittest.TestCase):
    def mistakes(self, text):
        return [f"{match.rule.id} {match.message}" for match in lint(text, RULES, [REGION])]

    def test_as_it_is(self):
        self.assertEqual(self.mistakes(TEMPLATE.read_text()), [])

    def test_as_translated(self):
        self.assertEqual(self.mistakes(json.dumps(translated(REGION, "code-bucket", "bootstrap.zip"))), [])

    def test_a_mistyped_permission_would_be_found(self):
        text = json.dumps(translated(REGION, "code-bucket", "bootstrap.zip"))
        self.assertEqual(len(self.mistakes(text.replace('"s3:GetObject"', '"s3:GetObjekt"', 1))), 1)


class Stack(unittest.TestCase):
    """A stack in a moto of its own."""

    name = "readdress"
    given: dict[str, str] = {}

    @classmethod
    def setUpClass(cls):
        moto = mock_aws()
        moto.start()
        cls.addClassCleanup(moto.stop)
        cls.before()
        code = io.BytesIO()
        with zipfile.ZipFile(code, "w") as package:
            package.writestr("bootstrap", "#!/bin/sh\n")
        cls.make_bucket("code-bucket")
        cls.client("s3").put_object(Bucket="code-bucket", Key="bootstrap.zip", Body=code.getvalue())
        template = translated(REGION, "code-bucket", "bootstrap.zip")
        unknown = {resource["Type"] for resource in template["Resources"].values()} - set(get_model_map())
        assert unknown == NOT_IN_MOTO, f"moto would leave out {unknown}"
        cls.client("cloudformation").create_stack(
            StackName=cls.name,
            TemplateBody=json.dumps(template),
            Parameters=parameters({"Domain": DOMAIN, "AliasMap": ALIASES} | cls.given),
            Capabilities=["CAPABILITY_IAM"],
        )
        stack = cls.client("cloudformation").describe_stacks(StackName=cls.name)["Stacks"][0]
        assert stack["StackStatus"] == "CREATE_COMPLETE", stack
        cls.outputs = {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}
        resources = cls.client("cloudformation").describe_stack_resources(StackName=cls.name)["StackResources"]
        cls.ids = {made.get("LogicalResourceId"): made.get("PhysicalResourceId") for made in resources}

    @classmethod
    def before(cls):
        """What the account has already."""

    @staticmethod
    def client(service):
        return boto3.client(service, REGION)

    @classmethod
    def make_bucket(cls, name):
        cls.client("s3").create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})

    def rules(self, rule_set):
        return self.client("ses").describe_receipt_rule_set(RuleSetName=rule_set)["Rules"]

    def settings(self):
        function = self.client("lambda").get_function_configuration(FunctionName="readdress")
        # Lambda makes strings of numbers, moto does not.
        return {name: str(value) for name, value in function["Environment"]["Variables"].items()}

    def invokers(self):
        """The statements of who may invoke the function, by service."""
        policy = json.loads(self.client("lambda").get_policy(FunctionName="readdress")["Policy"])
        self.assertEqual({statement["Action"] for statement in policy["Statement"]}, {"lambda:InvokeFunction"})
        return {statement["Principal"]["Service"]: statement["Condition"] for statement in policy["Statement"]}

    def statements(self):
        policy = self.client("iam").get_role_policy(RoleName=self.ids["Role"], PolicyName="forward")
        # moto's CloudFormation stores it as Python writes it, and has None where AWS::NoValue takes an entry out.
        statements = [statement for statement in ast.literal_eval(policy["PolicyDocument"])["Statement"] if statement]
        for statement in statements:
            if isinstance(statement["Resource"], list):
                statement["Resource"] = [resource for resource in statement["Resource"] if resource]
        return statements


class Whole(Stack):
    """All that the template can make."""

    given = {
        "Recipients": "shop@example.com,postmaster@example.com",
        "RejectUnknown": "true",
        "HostedZoneId": "Z0EXAMPLE",
        "AlarmTopicArn": TOPIC,
        "EventsTopicArn": TOPIC,
        "FromEmail": "forwarder@example.com",
        "SubjectPrefix": "[shop] ",
        "EmailTags": "stage=test",
        "FeedbackEmail": "admin@example.net",
        "Notify": "postmaster@example.org",
        "ReservedConcurrency": "5",
        "PermissionsBoundary": f"arn:aws:iam::{ACCOUNT}:policy/boundary",
    }

    @classmethod
    def before(cls):
        zone = cls.client("route53").create_hosted_zone(Name=DOMAIN, CallerReference="1")["HostedZone"]["Id"]
        cls.given = cls.given | {"HostedZoneId": zone.removeprefix("/hostedzone/")}

    def test_rules(self):
        forward, reject = self.rules("readdress")
        self.assertEqual(
            forward,
            {
                "Name": "readdress-forward",
                "Enabled": True,
                "TlsPolicy": "Require",
                "ScanEnabled": True,
                "Recipients": ["shop@example.com", "postmaster@example.com"],
                "Actions": [
                    {"AddHeaderAction": {"HeaderName": "X-SES-Forwarded-By", "HeaderValue": "readdress"}},
                    {"S3Action": {"BucketName": self.outputs["Bucket"], "ObjectKeyPrefix": "inbound/"}},
                    {
                        "LambdaAction": {
                            "FunctionArn": f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:readdress",
                            "InvocationType": "Event",
                        }
                    },
                    {"StopAction": {"Scope": "RuleSet"}},
                ],
            },
        )
        self.assertEqual((reject["Name"], reject["Recipients"]), ("readdress-reject", [DOMAIN]))
        bounce = reject["Actions"][0]["BounceAction"]
        self.assertEqual((bounce["SmtpReplyCode"], bounce["StatusCode"]), ("550", "5.1.1"))
        self.assertEqual(bounce["Sender"], "mailer-daemon@example.com")

    def test_only_this_rule_of_ses_may_write_to_the_bucket(self):
        bucket = self.outputs["Bucket"]
        allow, deny = json.loads(self.client("s3").get_bucket_policy(Bucket=bucket)["Policy"])["Statement"]
        self.assertEqual(allow["Principal"], {"Service": "ses.amazonaws.com"})
        self.assertEqual(allow["Action"], "s3:PutObject")
        self.assertEqual(allow["Resource"], f"arn:aws:s3:::{bucket}/inbound/*")
        self.assertEqual(
            allow["Condition"],
            {"StringEquals": {"aws:SourceAccount": ACCOUNT}, "ArnEquals": {"aws:SourceArn": RULE}},
        )
        self.assertEqual((deny["Effect"], deny["Condition"]), ("Deny", {"Bool": {"aws:SecureTransport": "false"}}))

    def test_bucket(self):
        s3, bucket = self.client("s3"), self.outputs["Bucket"]
        rule = s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"][0]
        self.assertEqual(rule["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"], "AES256")

    def test_only_this_rule_of_ses_and_its_events_may_invoke(self):
        self.assertEqual(
            self.invokers(),
            {
                "ses.amazonaws.com": {
                    "ArnLike": {"AWS:SourceArn": RULE},
                    "StringEquals": {"AWS:SourceAccount": ACCOUNT},
                },
                "sns.amazonaws.com": {"ArnLike": {"AWS:SourceArn": EVENTS}},
            },
        )

    def test_ses_tells_the_function_by_a_topic_of_its_own(self):
        sns = self.client("sns")
        policy = json.loads(sns.get_topic_attributes(TopicArn=EVENTS)["Attributes"]["Policy"])
        (statement,) = policy["Statement"]
        self.assertEqual(statement["Principal"], {"Service": "ses.amazonaws.com"})
        self.assertEqual((statement["Action"], statement["Resource"]), ("sns:Publish", EVENTS))
        configuration_set = f"arn:aws:ses:{REGION}:{ACCOUNT}:configuration-set/readdress"
        self.assertEqual(
            statement["Condition"],
            {"StringEquals": {"aws:SourceAccount": ACCOUNT, "aws:SourceArn": configuration_set}},
        )
        (subscription,) = sns.list_subscriptions_by_topic(TopicArn=EVENTS)["Subscriptions"]
        self.assertEqual(
            (subscription["Protocol"], subscription["Endpoint"]),
            ("lambda", f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:readdress"),
        )

    def test_function(self):
        function = self.client("lambda").get_function_configuration(FunctionName="readdress")
        shown = {key: function[key] for key in ("Runtime", "Handler", "MemorySize", "Timeout", "Architectures")}
        self.assertEqual(
            shown,
            {
                "Runtime": "provided.al2023",
                "Handler": "bootstrap",
                "MemorySize": 128,
                "Timeout": 300,
                "Architectures": ["x86_64"],
            },
        )

    def test_settings(self):
        self.assertEqual(
            self.settings(),
            {
                "EMAIL_BUCKET": self.outputs["Bucket"],
                "EMAIL_PREFIX": "inbound/",
                "ALIAS_MAP_PARAM": "/readdress/aliases",
                "ALIAS_MAP_TTL": "60",
                "OUTBOX": "ses",
                "MAX_SEND_BYTES": "10485760",
                "FROM_FORMAT": "full",
                "FROM_EMAIL": "forwarder@example.com",
                "TO_HEADER": "keep",
                "SUBJECT_PREFIX": "[shop] ",
                "CONFIGURATION_SET": "readdress",
                "EMAIL_TAGS": "stage=test",
                "FEEDBACK_EMAIL": "admin@example.net",
                "LEDGER": "ledger/",
                "EVENTS_TOPIC": EVENTS,
                "ON_DOUBT": "resend",
                "REPAIR": "parts",
                "ON_SPAM": "mark",
                "ON_VIRUS": "hold",
                "ON_DMARC": "obey",
                "NOTIFY": "postmaster@example.org",
                "METRICS_NAMESPACE": "readdress",
            },
        )

    def test_role_may_do_this_and_nothing_else(self):
        allowed = {statement["Sid"]: (statement["Action"], statement["Resource"]) for statement in self.statements()}
        self.assertEqual(
            allowed,
            {
                "ReadMail": ("s3:GetObject", f"arn:aws:s3:::{self.outputs['Bucket']}/inbound/*"),
                "KeepLedger": (
                    ["s3:GetObject", "s3:PutObject"],
                    f"arn:aws:s3:::{self.outputs['Bucket']}/ledger/*",
                ),
                "ReadAliasMap": ("ssm:GetParameter", f"arn:aws:ssm:{REGION}:{ACCOUNT}:parameter/readdress/aliases"),
                "Send": (
                    "ses:SendRawEmail",
                    [
                        f"arn:aws:ses:{REGION}:{ACCOUNT}:identity/example.com",
                        f"arn:aws:ses:{REGION}:{ACCOUNT}:identity/*@example.com",
                        f"arn:aws:ses:{REGION}:{ACCOUNT}:configuration-set/readdress",
                    ],
                ),
                "KeepFailures": ("sqs:SendMessage", f"arn:aws:sqs:{REGION}:{ACCOUNT}:readdress-failed"),
                "Log": (
                    ["logs:CreateLogStream", "logs:PutLogEvents"],
                    f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/aws/lambda/readdress:*",
                ),
            },
        )
        (condition,) = [statement["Condition"] for statement in self.statements() if "Condition" in statement]
        feedback = [address for address in condition["StringLikeIfExists"].pop("ses:FeedbackAddress") if address]
        self.assertEqual(feedback, ["*@example.com", "admin@example.net"])
        self.assertEqual(condition, {"StringLike": {"ses:FromAddress": "*@example.com"}, "StringLikeIfExists": {}})
        iam = self.client("iam")
        self.assertEqual(iam.list_attached_role_policies(RoleName=self.ids["Role"])["AttachedPolicies"], [])
        self.assertEqual(iam.list_role_policies(RoleName=self.ids["Role"])["PolicyNames"], ["forward"])

    def test_ledger_lasts_as_long_as_mail(self):
        # moto's stacks make no lifecycle.
        bucket = yaml_parse(TEMPLATE.read_text())["Resources"]["Bucket"]["Properties"]
        mail, ledger = bucket["LifecycleConfiguration"]["Rules"][:2]
        condition, ledger, none = ledger["Fn::If"]
        self.assertEqual((condition, none), ("HasLedger", {"Ref": "AWS::NoValue"}))
        self.assertEqual((mail["Prefix"], ledger["Prefix"]), ({"Ref": "EmailPrefix"}, {"Ref": "Ledger"}))
        self.assertEqual(mail["ExpirationInDays"], ledger["ExpirationInDays"])
        self.assertEqual((mail["Status"], ledger["Status"]), ("Enabled", "Enabled"))

    def test_failed_events(self):
        config = self.client("lambda").get_function_event_invoke_config(FunctionName="readdress")
        self.assertEqual((config["MaximumRetryAttempts"], config["MaximumEventAgeInSeconds"]), (2, 21600))
        queue = f"arn:aws:sqs:{REGION}:{ACCOUNT}:readdress-failed"
        self.assertEqual(config["DestinationConfig"]["OnFailure"], {"Destination": queue})
        attributes = self.client("sqs").get_queue_attributes(
            QueueUrl=self.outputs["FailedQueue"], AttributeNames=["All"]
        )["Attributes"]
        self.assertEqual((attributes["QueueArn"], attributes["MessageRetentionPeriod"]), (queue, "1209600"))
        (deny,) = json.loads(attributes["Policy"])["Statement"]
        self.assertEqual((deny["Effect"], deny["Action"], deny["Resource"]), ("Deny", "sqs:*", queue))
        self.assertEqual(deny["Condition"], {"Bool": {"aws:SecureTransport": "false"}})

    def test_the_role_is_for_functions_of_this_account(self):
        role = self.client("iam").get_role(RoleName=self.ids["Role"])["Role"]["AssumeRolePolicyDocument"]
        (statement,) = role["Statement"]
        self.assertEqual(statement["Principal"], {"Service": "lambda.amazonaws.com"})
        self.assertEqual(statement["Condition"], {"StringEquals": {"aws:SourceAccount": ACCOUNT}})

    def test_the_role_is_bounded(self):
        role = self.client("iam").get_role(RoleName=self.ids["Role"])["Role"]
        self.assertEqual(role["PermissionsBoundary"]["PermissionsBoundaryArn"], self.given["PermissionsBoundary"])

    def test_the_alias_map_is_not_shown(self):
        self.assertIs(yaml_parse(TEMPLATE.read_text())["Parameters"]["AliasMap"]["NoEcho"], True)

    def test_alias_map(self):
        parameter = self.client("ssm").get_parameter(Name=self.outputs["AliasMapParam"])["Parameter"]
        self.assertEqual((parameter["Name"], parameter["Value"]), ("/readdress/aliases", ALIASES))

    def test_sending(self):
        ses = self.client("sesv2")
        self.assertEqual(ses.get_email_identity(EmailIdentity=DOMAIN)["ConfigurationSetName"], "readdress")
        options = ses.get_configuration_set(ConfigurationSetName="readdress")
        self.assertTrue(options["ReputationOptions"]["ReputationMetricsEnabled"])
        self.assertEqual(options["SuppressionOptions"]["SuppressedReasons"], ["BOUNCE"])

    def test_alarms(self):
        alarms = self.client("cloudwatch").describe_alarms()["MetricAlarms"]
        function = {"FunctionName": "readdress"}
        self.assertEqual(
            {
                alarm["AlarmName"]: (
                    alarm["Namespace"],
                    alarm["MetricName"],
                    {dimension["Name"]: dimension["Value"] for dimension in alarm["Dimensions"]},
                    alarm["Threshold"],
                )
                for alarm in alarms
            },
            {
                "readdress-errors": ("AWS/Lambda", "Errors", function, 1),
                "readdress-failed": ("readdress", "failed", function, 1),
                "readdress-too-large": ("readdress", "too_large", function, 1),
                "readdress-no-alias": ("readdress", "no_alias", function, 1),
                "readdress-dead-letters": (
                    "AWS/SQS",
                    "ApproximateNumberOfMessagesVisible",
                    {"QueueName": "readdress-failed"},
                    1,
                ),
                "readdress-lost-events": ("AWS/Lambda", "DestinationDeliveryFailures", function, 1),
                "readdress-bounced": ("AWS/SES", "Bounce", {"ses:configuration-set": "readdress"}, 1),
                "readdress-refused": ("AWS/SES", "Reject", {"ses:configuration-set": "readdress"}, 1),
                "readdress-bounce-rate": ("AWS/SES", "Reputation.BounceRate", {}, 0.05),
                "readdress-complaint-rate": ("AWS/SES", "Reputation.ComplaintRate", {}, 0.001),
            },
        )
        self.assertEqual({tuple(alarm["AlarmActions"]) for alarm in alarms}, {(TOPIC,)})

    def test_records(self):
        sets = self.client("route53").list_resource_record_sets(HostedZoneId=self.given["HostedZoneId"])
        records = {
            (record["Name"].rstrip("."), record["Type"]): [value["Value"] for value in record["ResourceRecords"]]
            for record in sets["ResourceRecordSets"]
            if record["Type"] not in ("NS", "SOA")
        }
        dkim = {(f"token{n}._domainkey.example.com", "CNAME"): [f"token{n}.dkim.amazonses.com"] for n in (1, 2, 3)}
        self.assertEqual(
            records,
            dkim
            | {
                ("example.com", "MX"): ["10 inbound-smtp.eu-west-1.amazonaws.com"],
                ("_dmarc.example.com", "TXT"): ['"v=DMARC1; p=none"'],
            },
        )

    def test_outputs_say_what_is_left_to_do(self):
        self.assertEqual(
            self.outputs["Activate"],
            "aws ses set-active-receipt-rule-set --region eu-west-1 --rule-set-name readdress",
        )
        self.assertEqual(self.outputs["MxRecord"], "example.com MX 10 inbound-smtp.eu-west-1.amazonaws.com")
        self.assertEqual(self.outputs["DkimRecord2"], "token2._domainkey.example.com CNAME token2.dkim.amazonses.com")
        self.assertEqual(self.outputs["DmarcRecord"], '_dmarc.example.com TXT "v=DMARC1; p=none"')


class Joined(Stack):
    """As little as it can make, beside what the account has: a rule set, the identity, DNS elsewhere."""

    given = {
        "Recipients": DOMAIN,
        "RuleSetName": "company",
        "RuleAfter": "first",
        "Identity": "existing",
        "Sandbox": "true",
        "Dmarc": "",
        "KmsKeyArn": f"arn:aws:kms:{REGION}:{ACCOUNT}:key/00000000-0000-0000-0000-000000000000",
        "EventsTopic": f"arn:aws:sns:{REGION}:{ACCOUNT}:company",
    }

    @classmethod
    def before(cls):
        ses = cls.client("ses")
        ses.create_receipt_rule_set(RuleSetName="company")
        for name in ("last", "first"):
            ses.create_receipt_rule(RuleSetName="company", Rule={"Name": name, "Actions": []})
        cls.client("sns").create_topic(Name="company")

    def test_rule_stands_behind_the_one_named(self):
        self.assertEqual([rule["Name"] for rule in self.rules("company")], ["first", "readdress-forward", "last"])
        sets = self.client("ses").list_receipt_rule_sets()["RuleSets"]
        self.assertEqual([rule_set["Name"] for rule_set in sets], ["company"])

    def test_source_arn_is_of_the_set_that_is_joined(self):
        rule = RULE.replace("receipt-rule-set/readdress", "receipt-rule-set/company")
        policy = json.loads(self.client("s3").get_bucket_policy(Bucket=self.outputs["Bucket"])["Policy"])
        self.assertEqual(policy["Statement"][0]["Condition"]["ArnEquals"], {"aws:SourceArn": rule})
        self.assertEqual(self.invokers()["ses.amazonaws.com"]["ArnLike"], {"AWS:SourceArn": rule})

    def test_the_topic_that_is_given_is_used(self):
        topic = self.given["EventsTopic"]
        sns = self.client("sns")
        self.assertEqual([topic["TopicArn"] for topic in sns.list_topics()["Topics"]], [topic])
        self.assertEqual(len(sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]), 1)
        self.assertEqual(self.settings()["EVENTS_TOPIC"], topic)
        self.assertEqual(self.invokers()["sns.amazonaws.com"], {"ArnLike": {"AWS:SourceArn": topic}})

    def test_no_identity_and_no_records(self):
        self.assertEqual(self.client("sesv2").list_email_identities()["EmailIdentities"], [])
        self.assertEqual(self.client("route53").list_hosted_zones()["HostedZones"], [])
        self.assertFalse({"DkimRecord1", "DmarcRecord"} & self.outputs.keys())

    def test_sandbox_allows_sending_to_verified_targets(self):
        (send,) = [statement for statement in self.statements() if statement["Sid"] == "Send"]
        self.assertIn(f"arn:aws:ses:{REGION}:{ACCOUNT}:identity/*", send["Resource"])

    def test_role_without_boundary(self):
        self.assertNotIn("PermissionsBoundary", self.client("iam").get_role(RoleName=self.ids["Role"])["Role"])

    def test_key(self):
        key = self.given["KmsKeyArn"]
        encryption = self.client("s3").get_bucket_encryption(Bucket=self.outputs["Bucket"])
        rule = encryption["ServerSideEncryptionConfiguration"]["Rules"][0]["ApplyServerSideEncryptionByDefault"]
        self.assertEqual(rule, {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key})
        (decrypt,) = [statement for statement in self.statements() if statement["Sid"] == "UseKey"]
        self.assertEqual((decrypt["Action"], decrypt["Resource"]), (["kms:Decrypt", "kms:GenerateDataKey"], key))

    def test_what_is_not_given_is_not_set(self):
        unset = {"FROM_EMAIL", "SUBJECT_PREFIX", "EMAIL_TAGS", "FEEDBACK_EMAIL"}
        self.assertFalse(unset & self.settings().keys())

    def test_rules_that_follow_are_not_stopped(self):
        (rule,) = [rule for rule in self.rules("company") if rule["Name"] == "readdress-forward"]
        self.assertEqual(
            [list(action) for action in rule["Actions"]], [["AddHeaderAction"], ["S3Action"], ["LambdaAction"]]
        )

    def test_alarms_without_topic(self):
        alarms = self.client("cloudwatch").describe_alarms()["MetricAlarms"]
        # Of a whole domain anybody can ask for an alias that there is none of.
        self.assertNotIn("readdress-no-alias", [alarm["AlarmName"] for alarm in alarms])
        self.assertEqual({len(alarm["AlarmActions"]) for alarm in alarms}, {0})


class Renamed(Stack):
    """A stack whose own name is too long for a receipt rule, as those of a pipeline may be."""

    name = "mail-" + "of-the-pipeline-" * 7
    given = {
        "Recipients": "shop@example.com",
        "RejectUnknown": "true",
        "Name": "readdress",
        "SuppressedReasons": "none",
        # Without it the function knows no mail that SES could report on.
        "Ledger": "off",
    }

    def test_names(self):
        self.assertEqual([rule["Name"] for rule in self.rules("readdress")], ["readdress-forward", "readdress-reject"])
        self.assertEqual(self.outputs["AliasMapParam"], "/readdress/aliases")
        self.assertEqual(self.settings()["CONFIGURATION_SET"], "readdress")
        alarms = self.client("cloudwatch").describe_alarms()["MetricAlarms"]
        self.assertEqual([alarm["AlarmName"] for alarm in alarms if not alarm["AlarmName"].startswith("readdress-")], [])

    def test_policies_name_the_rule(self):
        policy = json.loads(self.client("s3").get_bucket_policy(Bucket=self.outputs["Bucket"])["Policy"])
        self.assertEqual(policy["Statement"][0]["Condition"]["ArnEquals"], {"aws:SourceArn": RULE})
        self.assertEqual(self.invokers()["ses.amazonaws.com"]["ArnLike"], {"AWS:SourceArn": RULE})

    def test_without_a_ledger_the_function_is_told_of_nothing(self):
        self.assertNotIn("EVENTS_TOPIC", self.settings())
        self.assertEqual(self.client("sns").list_topics()["Topics"], [])
        self.assertEqual(self.client("sns").list_subscriptions()["Subscriptions"], [])
        self.assertNotIn("KeepLedger", [statement["Sid"] for statement in self.statements()])

    def test_nothing_is_suppressed(self):
        # Without the list the account's own setting would count.
        options = self.client("sesv2").get_configuration_set(ConfigurationSetName="readdress")
        self.assertEqual(options["SuppressionOptions"], {"SuppressedReasons": []})

    def test_the_longest_name_is_one_that_ses_takes(self):
        pattern = re.compile(yaml_parse(TEMPLATE.read_text())["Parameters"]["Name"]["AllowedPattern"])
        longest = max(length for length in range(200) if pattern.match("n" * length))
        self.assertEqual(longest + len("-forward"), 64)


del Stack  # Or unittest would make one with nothing in it.

if __name__ == "__main__":
    # What moto leaves out is asserted above.
    logging.disable(logging.WARNING)
    warnings.simplefilter("ignore")
    unittest.main(warnings="ignore")
