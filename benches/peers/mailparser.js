// mailparser's simpleParser: a parser only, nothing goes out.
'use strict';

const fs = require('node:fs');
const { simpleParser } = require('mailparser');

require('./loop')(path => simpleParser(fs.createReadStream(path)));
