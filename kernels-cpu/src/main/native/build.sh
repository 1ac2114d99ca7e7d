#!/bin/sh
# Builds the native images: build.sh FOLDER writes one file for each target there.
#
# CC_X86 and CC_ARM name the compilers (gcc). Two builds by the same version of gcc and binutils are the same bytes.
set -eu
src=$(cd "$(dirname "$0")" && pwd)
out=$1
mkdir -p "$out"
tmp=$(mktemp -d)
trap 'rm -r "$tmp"' EXIT

# Never contracted, never reassociated: the results are those of the contract, bit for bit.
common="-std=gnu17 -O2 -ftree-vectorize -fvect-cost-model=dynamic -Wall -Wextra -Werror -Wno-unused-function -Wno-unused-parameter
    -ffp-contract=off -fno-fast-math -ffreestanding -fpie
    -fvisibility=hidden -fno-stack-protector -fno-asynchronous-unwind-tables -fno-tree-loop-distribute-patterns
    -fno-ident -mtune=generic"

image() { # name, compiler prefix, header, options of the target
    name=$1 cc=$2 header=$3
    shift 3
    # shellcheck disable=SC2086 # lists of options
    (cd "$src" && "$cc" $common "$@" -DTARGET_H="\"$header\"" -c kernels.c -o "$tmp/$name.o")
    prefix=${cc%gcc*}
    "${prefix}ld" -T "$src/image.ld" --no-undefined -z noexecstack -e 0 "$tmp/$name.o" -o "$tmp/$name.elf"
    "${prefix}objcopy" -O binary -j .image "$tmp/$name.elf" "$out/$name.bin"
}

x86=${CC_X86:-gcc}
arm=${CC_ARM:-aarch64-linux-gnu-gcc}
avx2="-mavx2 -mfma -mf16c"
image avx512-vnni "$x86" x86.h -fcf-protection=none $avx2 -mavx512f -mavx512bw -mavx512vl -mavx512vnni
image avx-vnni "$x86" x86.h -fcf-protection=none $avx2 -mavxvnni
image avx2 "$x86" x86.h -fcf-protection=none $avx2
[ ! -f "$src/neon.h" ] || image neon-dotprod "$arm" neon.h -mbranch-protection=none -mno-outline-atomics \
    -march=armv8.2-a+dotprod
