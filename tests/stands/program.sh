#!/bin/sh
# Stands for the function where the stand that starts it is tested: holds some memory, uses some time, stops.
# It ends in a stop and not in an `exec`: while a program is replaced, the kernel tells of the new one's memory only.
env
echo seen >&2
held=$(head -c 4096000 /dev/zero | tr '\0' x)
i=0
while [ $i -lt 200000 ]; do i=$((i + 1)); done
echo done
kill -STOP $$
