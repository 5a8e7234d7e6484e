"""The resource types of the template that moto's CloudFormation does not know, made through moto's own services.

Without them moto leaves such a resource out and says that the stack is complete. Import this before a stack is made:
moto looks for types once.
"""

import json

import boto3
from moto.core.common_models import CloudFormationModel


def resource(name: str, attributes: tuple[str, ...] = ()):
    """Makes a type of a function from properties to the physical id, and the values of its attributes if it has any."""

    def register(make):
        def create(cls, _name, definition, _account, region, **_):
            made = make(definition.get("Properties", {}), lambda service: boto3.client(service, region))
            self = cls()
            self.physical_resource_id, self.values = made if isinstance(made, tuple) else (made, {})
            return self

        members = {
            # moto sorts its models by the second part of the module's name.
            "__module__": "moto.readdress",
            "cloudformation_type": staticmethod(lambda: name),
            "cloudformation_name_type": staticmethod(lambda: ""),
            "has_cfn_attr": classmethod(lambda _, attribute: attribute in attributes),
            "get_cfn_attribute": lambda self, attribute: self.values[attribute],
            "create_from_cloudformation_json": classmethod(create),
        }
        # moto asks for the direct subclasses, which live as long as somebody holds them.
        return type(CloudFormationModel)(name.replace("::", ""), (CloudFormationModel,), members)

    return register


@resource("AWS::S3::BucketPolicy")
def bucket_policy(given, client):
    client("s3").put_bucket_policy(Bucket=given["Bucket"], Policy=json.dumps(given["PolicyDocument"]))
    return given["Bucket"]


@resource("AWS::SES::ReceiptRuleSet")
def receipt_rule_set(given, client):
    client("ses").create_receipt_rule_set(**given)
    return given["RuleSetName"]


@resource("AWS::SES::ReceiptRule")
def receipt_rule(given, client):
    # moto has None where AWS::NoValue takes an entry out.
    given["Rule"]["Actions"] = [action for action in given["Rule"]["Actions"] if action]
    client("ses").create_receipt_rule(**given)
    return given["Rule"]["Name"]


@resource("AWS::SES::ConfigurationSet")
def configuration_set(given, client):
    rest = {key: value for key, value in given.items() if key != "Name"}
    client("sesv2").create_configuration_set(ConfigurationSetName=given["Name"], **rest)
    return given["Name"]


IDENTITY_ATTRIBUTES = tuple(f"DkimDNSToken{what}{n}" for what in ("Name", "Value") for n in (1, 2, 3))


@resource("AWS::SES::EmailIdentity", IDENTITY_ATTRIBUTES)
def email_identity(given, client):
    domain = given["EmailIdentity"]
    client("sesv2").create_email_identity(
        EmailIdentity=domain, ConfigurationSetName=given["ConfigurationSetAttributes"]["ConfigurationSetName"]
    )
    names = {f"DkimDNSTokenName{n}": f"token{n}._domainkey.{domain}" for n in (1, 2, 3)}
    values = {f"DkimDNSTokenValue{n}": f"token{n}.dkim.amazonses.com" for n in (1, 2, 3)}
    return domain, names | values


@resource("AWS::SNS::TopicPolicy")
def topic_policy(given, client):
    for topic in given["Topics"]:
        client("sns").set_topic_attributes(
            TopicArn=topic, AttributeName="Policy", AttributeValue=json.dumps(given["PolicyDocument"])
        )
    return given["Topics"][0]


@resource("AWS::SNS::Subscription")
def subscription(given, client):
    made = client("sns").subscribe(
        TopicArn=given["TopicArn"], Protocol=given["Protocol"], Endpoint=given["Endpoint"], ReturnSubscriptionArn=True
    )
    return made["SubscriptionArn"]


@resource("AWS::SQS::QueuePolicy")
def queue_policy(given, client):
    for queue in given["Queues"]:
        client("sqs").set_queue_attributes(
            QueueUrl=queue, Attributes={"Policy": json.dumps(given["PolicyDocument"])}
        )
    return given["Queues"][0]


@resource("AWS::Lambda::EventInvokeConfig")
def event_invoke_config(given, client):
    client("lambda").put_function_event_invoke_config(
        FunctionName=given["FunctionName"],
        MaximumRetryAttempts=int(given["MaximumRetryAttempts"]),
        MaximumEventAgeInSeconds=int(given["MaximumEventAgeInSeconds"]),
        DestinationConfig=given["DestinationConfig"],
    )
    return given["FunctionName"]


@resource("AWS::CloudWatch::Alarm")
def alarm(given, client):
    numbers = {"Period": int, "EvaluationPeriods": int, "Threshold": float}
    client("cloudwatch").put_metric_alarm(
        **{key: numbers.get(key, lambda same: same)(value) for key, value in given.items()}
    )
    return given["AlarmName"]
