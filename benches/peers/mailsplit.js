// A forwarder on mailsplit: the message streams through its splitter and joiner, and the top-level header section is
// changed on the way.
'use strict';

const fs = require('node:fs');
const { Transform } = require('node:stream');
const { pipeline } = require('node:stream/promises');
const { Splitter, Joiner } = require('mailsplit');

const rewriter = () =>
    new Transform({
        objectMode: true,
        transform(item, _encoding, next) {
            if (item.type === 'node' && item.root) {
                const from = item.headers.getFirst('From');
                for (const name of ['Return-Path', 'Sender', 'DKIM-Signature', 'Message-ID']) {
                    item.headers.remove(name);
                }
                item.headers.update('From', 'shop@example.com');
                item.headers.update('To', 'owner@example.net');
                if (!item.headers.hasHeader('Reply-To')) {
                    item.headers.add('Reply-To', from, Infinity);
                }
            }
            next(null, item);
        },
    });

require('./loop')(path =>
    pipeline(
        fs.createReadStream(path),
        new Splitter(),
        rewriter(),
        new Joiner(),
        fs.createWriteStream(null, { fd: 1, autoClose: false }),
    ),
);
