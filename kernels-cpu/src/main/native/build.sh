#!/bin/sh
# Builds the native images: build.sh FOLDER writes one file for each target there, and `images.txt`, which says what
# they were built from and by. Two builds by the same tools are the same bytes. NativeImageTest checks all that.
#
# CC_X86 and CC_ARM name the compilers (gcc), with their binutils beside them.
set -eu
src=$(cd "$(dirname "$0")" && pwd)
out=$1
mkdir -p "$out"
tmp=$(mktemp -d)
trap 'rm -r "$tmp"' EXIT

# Never contracted, never reassociated: the results are those of the contract, bit for bit.
common="-std=gnu17 -O2 -ftree-vectorize -fvect-cost-model=dynamic -Wall -Wextra -Werror -Wno-unused-function
    -Wno-unused-parameter -ffp-contract=off -fno-fast-math -ffreestanding -fpie
    -fvisibility=hidden -fno-stack-protector -fno-asynchronous-unwind-tables -fno-tree-loop-distribute-patterns
    -fno-ident -mtune=generic"

image() { # name, compiler prefix, header, options of the target
    name=$1 cc=$2 header=$3
    shift 3
    # shellcheck disable=SC2086 # lists of options
    (cd "$src" && "$cc" $common "$@" -DTARGET_H="\"$header\"" -c kernels.c -o "$tmp/$name.o")
    prefix=${cc%gcc*}
    "${prefix}ld" -T "$src/image.ld" --no-undefined -z noexecstack -e 0 "$tmp/$name.o" -o "$tmp/$name.elf"
    "${prefix}objcopy" -O binary -j .image "$tmp/$name.elf" "$tmp/$name.bin"
    cat "$tmp/$name.bin" > "$out/$name.bin" # as a file that is not executable
}

x86=${CC_X86:-gcc}
arm=${CC_ARM:-aarch64-linux-gnu-gcc}
avx2="-mavx2 -mfma -mf16c"
image avx512-vnni "$x86" x86.h -fcf-protection=none $avx2 -mavx512f -mavx512bw -mavx512vl -mavx512vnni
image avx-vnni "$x86" x86.h -fcf-protection=none $avx2 -mavxvnni
image avx2 "$x86" x86.h -fcf-protection=none $avx2
image neon-dotprod "$arm" neon.h -mbranch-protection=none -mno-outline-atomics -march=armv8.2-a+dotprod

tools() { # compiler
    echo "$("$1" --version | head -n 1); $("${1%gcc*}ld" --version | head -n 1)"
}
{
    echo "x86: $(tools "$x86")"
    echo "arm: $(tools "$arm")"
    (cd "$src" && sha256sum build.sh image.ld kernels.c neon.h x86.h)
    (cd "$out" && sha256sum avx-vnni.bin avx2.bin avx512-vnni.bin neon-dotprod.bin)
} > "$out/images.txt"
