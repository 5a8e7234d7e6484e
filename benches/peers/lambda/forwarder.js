// aws-lambda-ses-forwarder as a user deploys it: its own handler, with its own clients of S3 and SES, and a map.
'use strict';

const { handler } = require('aws-lambda-ses-forwarder');

const config = {
    subjectPrefix: '',
    emailBucket: process.env.EMAIL_BUCKET,
    emailKeyPrefix: process.env.EMAIL_PREFIX,
    allowPlusSign: true,
    forwardMapping: { [process.env.ALIAS]: [process.env.TARGET] },
};

require('./runtime')(
    event =>
        new Promise((resolve, reject) =>
            handler(event, {}, failure => (failure ? reject(failure) : resolve()), { config }),
        ),
);
