// What stands between Lambda and a handler on Node: asks the Runtime API for an event, hands it over, tells the answer.
// Lambda's own does more, so what a handler costs there is rather more than what is measured with this.
'use strict';

const http = require('node:http');

const [host, port] = process.env.AWS_LAMBDA_RUNTIME_API.split(':');
const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });

const ask = (method, path, body) =>
    new Promise((resolve, reject) => {
        const options = { agent, host, port, method, path: `/2018-06-01/runtime/${path}` };
        const request = http.request(options, response => {
            const chunks = [];
            response.on('data', chunk => chunks.push(chunk));
            response.on('end', () => resolve({ fields: response.headers, text: Buffer.concat(chunks).toString() }));
        });
        request.on('error', reject);
        request.end(body);
    });

module.exports = async handler => {
    for (;;) {
        const { fields, text } = await ask('GET', 'invocation/next');
        const id = fields['lambda-runtime-aws-request-id'];
        try {
            const answer = await handler(JSON.parse(text));
            await ask('POST', `invocation/${id}/response`, JSON.stringify(answer ?? null));
        } catch (error) {
            const told = { errorType: error.name, errorMessage: error.message };
            await ask('POST', `invocation/${id}/error`, JSON.stringify(told));
        }
    }
};
