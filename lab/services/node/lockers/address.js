'use strict';
// A street and a number, such as "Harbour View Road 12".
const LINE = /^[\p{L}0-9 .'-]{3,80}$/u;

exports.valid = (line) => LINE.test(line);
