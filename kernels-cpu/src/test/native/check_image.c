// Runs the calls of a file on an image and compares what they leave in memory: check_image IMAGE CALLS.
// NativeImageTest writes the file. Built for the host and, under qemu-user, for the image's processor.
//
// Every buffer ends where a page begins that must not be touched. On x86 each call is made by both conventions, and
// that of Microsoft is seen to keep the registers it has to keep.
#define _GNU_SOURCE
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { FIELDS = 12, HEAD = 16, PAGE = 65536 }; // pages of Arm may have 64 KiB

struct buffer {
    uint64_t field, bytes, floats;
    const uint8_t *before, *after;
    uint8_t *memory;
};

static uint8_t *read_all(const char *name, size_t *size) {
    FILE *f = fopen(name, "rb");
    if (!f) exit((perror(name), 2));
    fseek(f, 0, SEEK_END);
    *size = ftell(f);
    rewind(f);
    uint8_t *bytes = malloc(*size);
    if (fread(bytes, 1, *size, f) != *size) exit((perror(name), 2));
    fclose(f);
    return bytes;
}

static uint64_t next(const uint8_t **at) {
    uint64_t v;
    memcpy(&v, *at, 8);
    *at += 8;
    return v;
}

// Memory that ends at a page that faults.
static uint8_t *guarded(size_t bytes) {
    size_t size = (bytes + PAGE - 1) / PAGE * PAGE;
    uint8_t *m = mmap(0, size + PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (m == MAP_FAILED || mprotect(m + size, PAGE, PROT_NONE)) exit((perror("guarded memory"), 2));
    return m + size - bytes;
}

static int is_nan(uint32_t v) { return (v & 0x7fffffff) > 0x7f800000; }

// The first byte that differs, -1 if none does; any NaN is as good as another.
static long difference(const struct buffer *b) {
    for (uint64_t i = 0; i < b->bytes; i++) {
        if (b->memory[i] == b->after[i]) continue;
        uint32_t x, y;
        if (!b->floats) return i;
        memcpy(&x, b->memory + i / 4 * 4, 4);
        memcpy(&y, b->after + i / 4 * 4, 4);
        if (!is_nan(x) || !is_nan(y)) return i;
    }
    return -1;
}

static int plain(void *function, uint64_t *arguments) {
    ((void (*)(void *))function)(arguments);
    return 0;
}

#if defined(__x86_64__)
static int microsoft(void *function, uint64_t *arguments) {
    static uint8_t before[160], after[160];
    for (int i = 0; i < 160; i++) before[i] = 7 * i + 1;
    uint64_t kept_rsi, kept_rdi;
    register uint8_t *to __asm__("r13") = after;
    __asm__ volatile("mov %%rsp, %%r12\n and $-64, %%rsp\n sub $32, %%rsp\n"
                     "movdqu (%%rbx), %%xmm6\n movdqu 16(%%rbx), %%xmm7\n movdqu 32(%%rbx), %%xmm8\n"
                     "movdqu 48(%%rbx), %%xmm9\n movdqu 64(%%rbx), %%xmm10\n movdqu 80(%%rbx), %%xmm11\n"
                     "movdqu 96(%%rbx), %%xmm12\n movdqu 112(%%rbx), %%xmm13\n movdqu 128(%%rbx), %%xmm14\n"
                     "movdqu 144(%%rbx), %%xmm15\n mov %%rbx, %%rsi\n mov %%r13, %%rdi\n"
                     "call *%%rax\n mov %%r12, %%rsp\n"
                     "movdqu %%xmm6, (%%r13)\n movdqu %%xmm7, 16(%%r13)\n movdqu %%xmm8, 32(%%r13)\n"
                     "movdqu %%xmm9, 48(%%r13)\n movdqu %%xmm10, 64(%%r13)\n movdqu %%xmm11, 80(%%r13)\n"
                     "movdqu %%xmm12, 96(%%r13)\n movdqu %%xmm13, 112(%%r13)\n movdqu %%xmm14, 128(%%r13)\n"
                     "movdqu %%xmm15, 144(%%r13)\n"
                     : "=S"(kept_rsi), "=D"(kept_rdi), "+a"(function), "+c"(arguments)
                     : "b"(before), "r"(to)
                     : "rdx", "r8", "r9", "r10", "r11", "r12", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6",
                       "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15", "memory", "cc");
    return memcmp(before, after, 160) != 0 || kept_rsi != (uint64_t)before || kept_rdi != (uint64_t)after;
}
#endif

int main(int count, char **names) {
    if (count != 3) return 2;
    size_t size, calls_size;
    uint8_t *image = read_all(names[1], &size);
    uint8_t *code = mmap(0, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    memcpy(code, image, size);
    mprotect(code, size, PROT_READ | PROT_EXEC);
    __builtin___clear_cache((char *)code, (char *)code + size);
    uint32_t entries;
    memcpy(&entries, image + 12, 4);
    const uint8_t *at = read_all(names[2], &calls_size);
    const uint8_t *end = at + calls_size;
    int calls = 0, wrong = 0;
    while (at < end) {
        uint64_t entry = next(&at), fields[FIELDS], buffers = next(&at);
        for (int i = 0; i < FIELDS; i++) fields[i] = next(&at);
        struct buffer b[FIELDS];
        for (uint64_t i = 0; i < buffers; i++) {
            b[i].field = next(&at);
            b[i].floats = next(&at);
            b[i].bytes = next(&at);
            b[i].before = at;
            b[i].after = at + b[i].bytes;
            at += 2 * b[i].bytes;
            b[i].memory = guarded(b[i].bytes);
            fields[b[i].field] = (uint64_t)b[i].memory;
        }
        for (int convention = 0; convention < 2; convention++) {
            for (uint64_t i = 0; i < buffers; i++) memcpy(b[i].memory, b[i].before, b[i].bytes);
            uint32_t offset;
            memcpy(&offset, image + HEAD + 4 * (convention * entries + entry), 4);
            int lost;
            if (convention == 0) {
                lost = plain(code + offset, fields);
            } else {
#if defined(__x86_64__)
                lost = microsoft(code + offset, fields);
#else
                break;
#endif
            }
            if (lost) printf("call %d of entry %d, convention %d: registers are lost\n", calls, (int)entry, convention);
            wrong += lost;
            for (uint64_t i = 0; i < buffers; i++) {
                long d = difference(b + i);
                if (d >= 0) {
                    printf("call %d of entry %d, convention %d: field %d differs at byte %ld\n", calls, (int)entry,
                            convention, (int)b[i].field, d);
                    wrong++;
                }
            }
        }
        for (uint64_t i = 0; i < buffers; i++) {
            uint64_t whole = (b[i].bytes + PAGE - 1) / PAGE * PAGE;
            munmap(b[i].memory + b[i].bytes - whole, whole + PAGE);
        }
        calls++;
    }
    printf("%d calls, %d wrong\n", calls, wrong);
    return wrong != 0;
}
