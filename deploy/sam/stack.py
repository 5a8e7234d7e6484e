"""The template as CloudFormation sees it: SAM's transform applied, the function's code in a bucket."""

import copy
import os
from pathlib import Path
from types import SimpleNamespace

TEMPLATE = Path(__file__).with_name("template.yaml")


def translated(region: str, bucket: str, key: str) -> dict:
    """What `aws cloudformation package` and then CloudFormation make of the template."""
    os.environ["AWS_DEFAULT_REGION"] = region
    from samtranslator.translator.transform import transform
    from samtranslator.yaml_helper import yaml_parse

    template = yaml_parse(TEMPLATE.read_text())
    template["Resources"]["Function"]["Properties"]["CodeUri"] = {"Bucket": bucket, "Key": key}
    # The loader is for AWS's managed policies, of which the template names none.
    return transform(copy.deepcopy(template), {}, SimpleNamespace(load=dict))


def parameters(given: dict[str, str]) -> list[dict[str, str]]:
    """Parameters in the form that CreateStack takes."""
    return [{"ParameterKey": key, "ParameterValue": value} for key, value in given.items()]
