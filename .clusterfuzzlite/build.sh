#!/bin/bash -eu
# Builds every fuzz target, for ClusterFuzzLite and for OSS-Fuzz: in $OUT a binary each, its seeds, its dictionary and
# its options. The names of those are OSS-Fuzz's.
cd "$SRC/readdress"
cargo fuzz build -O --debug-assertions
fuzz/seed
for target in fuzz/fuzz_targets/*.rs; do
    name=$(basename "$target" .rs)
    cp "fuzz/target/x86_64-unknown-linux-gnu/release/$name" "$OUT/"
    cp "fuzz/dictionaries/$name.dict" "$OUT/"
    zip -qrj "$OUT/${name}_seed_corpus.zip" "fuzz/corpus/$name"
    printf '[libfuzzer]\nmax_len = 8192\n' > "$OUT/$name.options"
done
