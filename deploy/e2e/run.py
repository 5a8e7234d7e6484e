"""The life of the zip, offline: deployed by the SAM template into an emulator, it forwards mail, fails, and recovers.

    deploy/python deploy/e2e/run.py [ZIP]

ZIP is what deploy/package has built, target/dist/bootstrap.zip. The emulator is ministack: it runs the zip as Lambda
would, with the Runtime API and the role's permissions enforced, tries failed events again and gives them to the queue.
It has no receiving side, so that this program puts the mail into the bucket and sends the event in SES's place.
"""

import base64
import email
import email.policy
import email.utils
import fnmatch
import json
import random
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "deploy/sam"), str(Path(__file__).parent)]

from command_line import CommandLine, program  # noqa: E402
from emulator import ACCOUNT, REGION, Emulator, NoNames, Wire, until  # noqa: E402
from stack import parameters, translated  # noqa: E402

FIXTURES = ROOT / "fixtures/trial"
ALIASES = (FIXTURES / "aliases.json").read_text()
STACK = "readdress"
KEY_PARAM = "/readdress/key"
# One, and the two retries that the template asks for.
ATTEMPTS = 3


def mail(octets: int) -> bytes:
    """A message with a body of all kinds of octets in lines, more than the function keeps from its first reading."""
    head = (
        "Return-Path: <zoe@example.org>\r\n"
        "From: Zoe <zoe@example.org>\r\nTo: shop@example.com\r\nSubject: A large one\r\n"
        "Date: Thu, 5 Mar 2026 09:30:08 +0100\r\nMessage-ID: <large@example.org>\r\n"
        "MIME-Version: 1.0\r\nContent-Type: application/octet-stream\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
    ).encode()
    noise = random.Random(5)
    lines = bytearray()
    while len(lines) < octets:
        lines += noise.randbytes(900).replace(b"\r", b"r").replace(b"\n", b"n") + b"\r\n"
    return head + lines


def event(message_id: str, *recipients: str) -> dict:
    """SES's event of the fixture, of another message."""
    told = json.loads((FIXTURES / "event.json").read_text())
    ses = told["Records"][0]["ses"]
    ses["mail"]["messageId"] = message_id
    ses["receipt"]["recipients"] = list(recipients)
    return told


def raw(request: dict) -> bytes:
    """The message of a SendEmail."""
    return base64.b64decode(request["Content"]["Raw"]["Data"], validate=True)


def body_of(message: bytes) -> bytes:
    """What comes after the first empty line, in either kind of line ending."""
    at, length = min((at, len(end)) for end in (b"\r\n\r\n", b"\n\n") if (at := message.find(end)) >= 0)
    return message[at + length :]


def for_the_emulator(template: dict, wire: Wire, emulator: Emulator) -> dict:
    """The template without what ministack lacks, and with what it wants; deploy/sam/check.py tests the whole."""
    resources = template["Resources"]
    for name in [name for name, resource in resources.items() if resource["Type"].startswith("AWS::SES::Receipt")]:
        del resources[name]
    # Outputs that name what is not there: ministack's identity has no DKIM records.
    for name in ("Activate", "DkimRecord1", "DkimRecord2", "DkimRecord3"):
        del template["Outputs"][name]
    # It speaks HTTP, which the bucket's policy forbids.
    policy = resources["BucketPolicy"]["Properties"]["PolicyDocument"]
    policy["Statement"] = [statement for statement in policy["Statement"] if statement["Sid"] != "TlsOnly"]
    # So does the queue's, which says nothing else.
    del resources["FailedQueuePolicy"]
    resources["Function"]["Properties"]["Environment"]["Variables"] |= {
        "AWS_ENDPOINT_URL_S3": emulator.url,
        "AWS_ENDPOINT_URL_SSM": emulator.url,
        "AWS_ENDPOINT_URL_SESV2": wire.url,
    }
    # SES asks for ses:SendRawEmail on identity and configuration set, ministack for ses:SendEmail on anything.
    # Whether our statement would have sufficed is what `permitted` checks.
    statements = resources["Role"]["Properties"]["Policies"][0]["PolicyDocument"]["Statement"]
    statements.append({"Sid": "SendInMinistack", "Effect": "Allow", "Action": "ses:SendEmail", "Resource": "*"})
    return template


def permitted(statement: dict, request: dict) -> bool:
    """Whether IAM would let this SendEmail pass, by the template's statement for it."""
    message = email.message_from_bytes(raw(request), policy=email.policy.default)
    sender = email.utils.parseaddr(request.get("FromEmailAddress") or message["From"])[1]
    arn = f"arn:aws:ses:{REGION}:{ACCOUNT}"
    needed = [f"{arn}:identity/{sender.split('@')[1]}", f"{arn}:configuration-set/{request['ConfigurationSetName']}"]
    return (
        statement["Action"] == "ses:SendRawEmail"
        and all(resource in statement["Resource"] for resource in needed)
        and fnmatch.fnmatchcase(sender, statement["Condition"]["StringLike"]["ses:FromAddress"])
    )


class Life:
    def __init__(self, emulator: Emulator, wire: Wire):
        self.emulator, self.wire = emulator, wire
        self.cloudformation, self.lambda_ = emulator.client("cloudformation"), emulator.client("lambda")
        self.s3, self.sqs, self.iam = emulator.client("s3"), emulator.client("sqs"), emulator.client("iam")

    # What happens.

    def deploy(self, package: Path) -> None:
        self.s3.create_bucket(Bucket="code", CreateBucketConfiguration={"LocationConstraint": REGION})
        self.s3.put_object(Bucket="code", Key="bootstrap.zip", Body=package.read_bytes())
        # Out of the sandbox.
        self.emulator.client("sesv2").put_account_details(
            MailType="TRANSACTIONAL", WebsiteURL="https://example.com", ProductionAccessEnabled=True
        )
        key = subprocess.run([program(), "key", "new"], check=True, capture_output=True, text=True).stdout.strip()
        self.emulator.client("ssm").put_parameter(Name=KEY_PARAM, Value=key, Type="SecureString")
        template = for_the_emulator(translated(REGION, "code", "bootstrap.zip"), self.wire, self.emulator)
        self.cloudformation.create_stack(
            StackName=STACK,
            TemplateBody=json.dumps(template),
            Parameters=parameters(
                {
                    "Domain": "example.com",
                    "Recipients": "shop@example.com",
                    "AliasMap": ALIASES,
                    "AliasKeyParam": KEY_PARAM,
                }
            ),
            Capabilities=["CAPABILITY_IAM"],
        )
        stack = until("the stack", self.stack)
        assert stack["StackStatus"] == "CREATE_COMPLETE", stack.get("StackStatusReason")
        self.outputs = {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}
        role = self.cloudformation.describe_stack_resource(StackName=STACK, LogicalResourceId="Role")
        self.role = role["StackResourceDetail"]["PhysicalResourceId"]
        configuration = self.lambda_.get_function_configuration(FunctionName=STACK)
        settings = configuration["Environment"]["Variables"] | {"READDRESS_FUNCTION": STACK}
        self.operator = CommandLine(self.emulator, self.wire, settings)
        self.policy = self.iam.get_role_policy(RoleName=self.role, PolicyName="forward")["PolicyDocument"]

    def stack(self):
        stack = self.cloudformation.describe_stacks(StackName=STACK)["Stacks"][0]
        return None if stack["StackStatus"].endswith("IN_PROGRESS") else stack

    def arrive(self, told: dict, message: bytes) -> None:
        """What SES's receipt rule does."""
        key = "inbound/" + told["Records"][0]["ses"]["mail"]["messageId"]
        self.s3.put_object(Bucket=self.outputs["Bucket"], Key=key, Body=message)
        self.invoke(told)

    def invoke(self, told: dict) -> None:
        answer = self.lambda_.invoke(FunctionName=STACK, InvocationType="Event", Payload=json.dumps(told))
        assert answer["StatusCode"] == 202, answer

    def permit_all_but(self, *without: str) -> None:
        """Sets the role's policy, and has Lambda start the function anew, with nothing in its memory."""
        statements = [statement for statement in self.policy["Statement"] if statement["Sid"] not in without]
        assert len(statements) + len(without) == len(self.policy["Statement"]), f"{without}: there is no such statement"
        document = json.dumps(self.policy | {"Statement": statements})
        self.iam.put_role_policy(RoleName=self.role, PolicyName="forward", PolicyDocument=document)
        self.lambda_.update_function_code(FunctionName=STACK, S3Bucket="code", S3Key="bootstrap.zip")

    # What is to be seen.

    def sent(self) -> list[dict]:
        return self.emulator.get(f"/_ministack/ses/messages?account={ACCOUNT}")["messages"].get(ACCOUNT, [])

    def ledger(self, message_id: str, recipient: str, outcome: str):
        """What the ledger has of the message, once it ended so for this recipient."""
        try:
            page = self.s3.get_object(Bucket=self.outputs["Bucket"], Key=f"ledger/{message_id}.json")["Body"].read()
        except self.s3.exceptions.NoSuchKey:
            return None
        page = json.loads(page)
        return page if page["outcomes"].get(recipient, {}).get("outcome") == outcome else None

    def dead_letter(self):
        """Takes one from the queue."""
        answer = self.sqs.receive_message(QueueUrl=self.outputs["FailedQueue"])
        for letter in answer.get("Messages", []):
            self.sqs.delete_message(QueueUrl=self.outputs["FailedQueue"], ReceiptHandle=letter["ReceiptHandle"])
            return json.loads(letter["Body"])
        return None

    def queued(self) -> int:
        """Events in the queue."""
        name = "ApproximateNumberOfMessages"
        answer = self.sqs.get_queue_attributes(QueueUrl=self.outputs["FailedQueue"], AttributeNames=[name])
        return int(answer["Attributes"][name])

    def accepted(self, since: int, count: int) -> list[dict]:
        """The next requests that SES took, which must be permitted in AWS too."""
        arrived = lambda: len(self.wire.requests) >= since + count and self.wire.requests[since:]
        requests = until(f"{count} requests to SES", arrived)
        assert [status for _, status in requests] == [200] * count, [status for _, status in requests]
        (send,) = [statement for statement in self.policy["Statement"] if statement["Sid"] == "Send"]
        for request, _ in requests:
            assert permitted(send, request), "the statement Send does not permit this in AWS"
        return [request for request, _ in requests]


def has_what_moto_has_not(life: Life) -> None:
    """Properties of the template that deploy/sam/check.py cannot see."""
    block = life.s3.get_public_access_block(Bucket=life.outputs["Bucket"])["PublicAccessBlockConfiguration"]
    assert set(block.values()) == {True} and len(block) == 4, block
    ses = life.emulator.client("sesv2")
    events = ses.get_configuration_set_event_destinations(ConfigurationSetName=STACK)["EventDestinations"]
    told = {destination["Name"]: destination["MatchingEventTypes"] for destination in events}
    for kinds in told.values():
        kinds.sort()
    reported = ["BOUNCE", "COMPLAINT", "DELIVERY_DELAY", "REJECT"]
    assert told == {"metrics": ["BOUNCE", "COMPLAINT", "REJECT"], "function": reported}, events
    (topic,) = [destination["SnsDestination"]["TopicArn"] for destination in events if destination["Name"] == "function"]
    settings = life.lambda_.get_function_configuration(FunctionName=STACK)["Environment"]["Variables"]
    assert settings["EVENTS_TOPIC"] == topic, "SES tells another topic than the one that the function believes"


def forwards(life: Life) -> None:
    message_id = "m3k8d1v6t9q2x5c7b4n0h8j1l6p3r5s2w7z9f401"
    original = (FIXTURES / "bucket/inbound" / message_id).read_bytes()
    life.arrive(event(message_id, "shop@example.com", "billing@example.com"), original)
    targets = {("jane@example.net", "omar@example.net"), ("ledger@example.net",)}
    requests = life.accepted(0, 2)
    assert {tuple(request["Destination"]["ToAddresses"]) for request in requests} == targets, requests
    assert {tuple(message["To"]) for message in life.sent()} == targets, life.sent()
    for request in requests:
        assert body_of(raw(request)) == body_of(original), "the body has changed"


def forwards_a_large_mail(life: Life) -> None:
    original = mail(9_000_000)
    since = len(life.wire.requests)
    life.arrive(event("large", "shop@example.com"), original)
    (request,) = life.accepted(since, 1)
    assert body_of(raw(request)) == body_of(original), "the body has changed"


def holds_tells_and_releases(life: Life) -> None:
    """A mail that its sender's domain asks to refuse stays in the bucket. Its owners are told, so that nothing comes into the
    queue; once released by the command line it is forwarded with a mark, as SES told of it."""
    since, before = len(life.wire.requests), len(life.sent())
    original = mail(2000)
    told = event("held", "shop@example.com")
    told["Records"][0]["ses"]["receipt"] |= {"dmarcVerdict": {"status": "FAIL"}, "dmarcPolicy": "reject"}
    life.arrive(told, original)
    (notice,) = life.accepted(since, 1)
    assert set(notice["Destination"]["ToAddresses"]) == {"jane@example.net", "omar@example.net"}, notice["Destination"]
    written = email.message_from_bytes(raw(notice), policy=email.policy.default)
    assert written["Auto-Submitted"] == "auto-generated", written.items()
    assert "readdress release" in written.get_body(("plain",)).get_content(), written
    page = until("the outcome in the ledger", lambda: life.ledger("held", "shop@example.com", "held"))
    assert page["outcomes"]["shop@example.com"]["told"], page

    assert "held" in life.operator.run("held")
    assert life.operator.run("release", "held") == "held  released\n"
    (request,) = life.accepted(since + 1, 1)
    assert body_of(raw(request)) == body_of(original), "the body has changed"
    written = email.message_from_bytes(raw(request), policy=email.policy.default)
    assert written["Subject"] == "[UNVERIFIED] A large one", written["Subject"]
    until("the record in the ledger", lambda: life.ledger("held", "shop@example.com", "sent"))
    assert len(life.sent()) == before + 2, "the notice and the mail are all that was sent"
    assert life.dead_letter() is None, "an event came into the queue although the owners were told"


def fails_without(life: Life, statement: str, refused_by_ses: int = 0) -> None:
    """With a permission taken away each attempt fails, and the event ends in the queue. Given back, it is forwarded:
    nothing is lost, and what took the permission away was the reason."""
    life.permit_all_but(statement)
    since, before = len(life.wire.requests), len(life.sent())
    told = event(f"without-{statement}", "shop@example.com")
    life.arrive(told, mail(1000))
    letter = until("the dead letter", life.dead_letter)
    assert letter["requestPayload"] == told, letter
    assert letter["requestContext"]["condition"] == "RetriesExhausted", letter
    statuses = [status for _, status in life.wire.requests[since:]]
    assert statuses == [403] * refused_by_ses, statuses
    assert len(life.sent()) == before, "something was sent"

    life.permit_all_but()
    since = len(life.wire.requests)
    life.invoke(letter["requestPayload"])
    life.accepted(since, 1)
    assert len(life.sent()) == before + 1


def answers(life: Life) -> None:
    """The owner writes to the address that the forwarded mail names in Reply-To, and the correspondent gets it from the alias."""
    since = len(life.wire.requests)
    life.arrive(event("asked", "billing@example.com"), mail(500))
    (forwarded,) = life.accepted(since, 1)
    address = email.message_from_bytes(raw(forwarded), policy=email.policy.default)["Reply-To"].addresses[0].addr_spec
    owner = forwarded["Destination"]["ToAddresses"][0]
    assert address.startswith("billing+zoe=example.org."), address
    answer = f"From: {owner}\r\nTo: {address}\r\nSubject: Re: A large one\r\nUser-Agent: x\r\n\r\nHello Zoe\r\n".encode()
    told = event("answered", address)
    told["Records"][0]["ses"]["receipt"] |= {"dmarcVerdict": {"status": "PASS"}}
    told["Records"][0]["ses"]["mail"]["source"] = owner
    life.arrive(told, answer)
    (request,) = life.accepted(since + 1, 1)
    assert request["Destination"] == {"ToAddresses": ["zoe@example.org"]}, request["Destination"]
    written = email.message_from_bytes(raw(request), policy=email.policy.default)
    assert written["From"].addresses[0].addr_spec == "billing@example.com", written["From"]
    assert owner.encode() not in raw(request) and b"User-Agent" not in raw(request), raw(request)
    assert body_of(raw(request)) == body_of(answer), "the body has changed"


def is_redriven(life: Life) -> None:
    """What ended in the queue is delivered by one command, once, and the queue is empty."""
    life.permit_all_but("ReadMail")
    before = len(life.sent())
    life.arrive(event("redriven", "shop@example.com"), mail(1000))
    until("the queue to hold it", lambda: life.queued() == 1)
    life.permit_all_but()
    queue = life.outputs["FailedQueue"]
    assert life.operator.run("redrive", "--queue", queue) == "redriven  done\n"
    assert len(life.sent()) == before + 1
    assert life.queued() == 0
    life.operator.run("redrive", "--queue", queue)
    assert len(life.sent()) == before + 1, "sent again"
    assert life.ledger("redriven", "shop@example.com", "sent")


# Beside receipt rules: a zone for the domain, conditions in its policy simulator, the qualifier $LATEST of what it deploys.
NOT_IN_THE_EMULATOR = {"zone", "rule-set", "role", "on-failure"}


def is_found_right(life: Life) -> None:
    """The doctor finds nothing wrong but what the emulator lacks."""
    with NoNames() as name_server:
        report = life.operator.run("doctor", "--json", "--name-server", name_server, code=1)
    answers = {}
    for finding in json.loads(report)["findings"]:
        answers.setdefault(finding["answer"], set()).add(finding["check"])
    assert answers["wrong"] == NOT_IN_THE_EMULATOR, report
    seen = {"function", "settings", "map", "map-entries", "map-size", "bucket", "ledger", "configuration-set", "suppression"}
    assert seen <= answers["right"], report


def main() -> None:
    package = Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / "target/dist/bootstrap.zip").resolve()
    if not package.exists():
        raise SystemExit(f"there is no {package}: deploy/package builds it")
    place = ROOT / "target/e2e"
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    with Emulator(place) as emulator, Wire(emulator) as wire:
        life = Life(emulator, wire)
        steps = {
            "is deployed": lambda: life.deploy(package),
            "has what the check in moto cannot see": lambda: has_what_moto_has_not(life),
            "forwards a mail of two aliases, its body octet for octet": lambda: forwards(life),
            "takes capitals for small letters": lambda: (
                life.arrive(event("capitals", "Shop@EXAMPLE.com"), mail(500)),
                life.accepted(2, 1),
            ),
            "forwards a mail of 9 MB": lambda: forwards_a_large_mail(life),
            "holds a mail, tells its owners, and forwards it once released": lambda: holds_tells_and_releases(life),
            "sends the owner's answer in the alias's name": lambda: answers(life),
            "is found right by the doctor": lambda: is_found_right(life),
            "delivers by redrive what is in the queue": lambda: is_redriven(life),
            "reads mail by its statement ReadMail alone": lambda: fails_without(life, "ReadMail"),
            "reads the alias map by its statement ReadAliasMap alone": lambda: fails_without(life, "ReadAliasMap"),
            "tries thrice where SES refuses": lambda: fails_without(life, "SendInMinistack", refused_by_ses=ATTEMPTS),
        }
        for number, (step, take) in enumerate(steps.items()):
            start = time.monotonic()
            try:
                take()
            except BaseException:
                print(f"FAILED: {step}; see {place}/ministack.log", flush=True)
                print(f"{number} passed, 1 failed")
                raise
            print(f"{time.monotonic() - start:5.1f} s  {step}", flush=True)
    print(f"{len(steps)} passed, 0 failed")


if __name__ == "__main__":
    main()
