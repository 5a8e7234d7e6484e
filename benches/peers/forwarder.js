// aws-lambda-ses-forwarder as it is: its own handler from event to SendEmail, with an S3 and an SES that do no more
// than read the file and write what is sent. What the SDK would add (the request's JSON, base64, the signature) is
// not in it.
'use strict';

const fs = require('node:fs');

console.log = () => {}; // The package logs to standard output, where the message goes.
const { handler } = require('aws-lambda-ses-forwarder');

const event = {
    Records: [
        {
            eventSource: 'aws:ses',
            eventVersion: '1.0',
            ses: { mail: { messageId: 'message' }, receipt: { recipients: ['shop@example.com'] } },
        },
    ],
};
const config = {
    subjectPrefix: '',
    emailBucket: 'bucket',
    emailKeyPrefix: '',
    allowPlusSign: true,
    forwardMapping: { 'shop@example.com': ['owner@example.net'] },
};

// `transformToString` of the SDK without an encoding is that of a Buffer: UTF-8.
const s3 = path => ({
    send: (_command, done) =>
        done(null, { Body: { transformToString: async () => (await fs.promises.readFile(path)).toString() } }),
});
const ses = { send: (command, done) => fs.writeFile(1, command.input.Content.Raw.Data, done) };

require('./loop')(
    path =>
        new Promise((resolve, reject) =>
            handler(event, {}, failure => (failure ? reject(failure) : resolve()), {
                config,
                log: entry => entry.error && console.error(entry.error.message),
                s3: s3(path),
                ses,
            }),
        ),
);
