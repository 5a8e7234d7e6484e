"""What stands between Lambda and a handler in Python: asks the Runtime API for an event, hands it over, tells the answer.

Lambda's own does more, so what a handler costs there is rather more than what is measured with this.
"""

import http.client
import json
import os


def run(handler):
    api = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])

    def ask(method, path, body=None):
        api.request(method, f"/2018-06-01/runtime/{path}", body)
        response = api.getresponse()
        return response.headers, response.read()

    while True:
        fields, event = ask("GET", "invocation/next")
        request = fields["lambda-runtime-aws-request-id"]
        try:
            answer = handler(json.loads(event))
            ask("POST", f"invocation/{request}/response", json.dumps(answer))
        except Exception as error:
            told = {"errorType": type(error).__name__, "errorMessage": str(error)}
            ask("POST", f"invocation/{request}/error", json.dumps(told))
