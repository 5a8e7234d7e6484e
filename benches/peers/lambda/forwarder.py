"""The forwarder of ../forward.py as a Lambda function: boto3's clients, made once, around the same rebuilding."""

import os
import sys
from pathlib import Path

import boto3

sys.path.append(str(Path(__file__).resolve().parent.parent))

import forward  # noqa: E402
import runtime  # noqa: E402

s3, ses = boto3.client("s3"), boto3.client("sesv2")


def handler(event):
    record = event["Records"][0]["ses"]
    key = os.environ["EMAIL_PREFIX"] + record["mail"]["messageId"]
    message = s3.get_object(Bucket=os.environ["EMAIL_BUCKET"], Key=key)["Body"].read()
    ses.send_email(
        FromEmailAddress=os.environ["ALIAS"],
        Destination={"ToAddresses": [os.environ["TARGET"]]},
        Content={"Raw": {"Data": forward.forward(message)}},
    )


runtime.run(handler)
