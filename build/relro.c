/* Makes the relocated data read-only (RELRO). In a static program nobody else does: the kernel does not, and musl's start-up code leaves it
   to a loader that such a program has none of. Runs before main. */
#include <elf.h>
#include <link.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

/* The linker's name for where the program begins. */
extern const ElfW(Ehdr) __ehdr_start __attribute__((visibility("hidden")));

__attribute__((constructor)) static void protect_relocated_data(void) {
    const uintptr_t base = (uintptr_t)&__ehdr_start, page = (uintptr_t)sysconf(_SC_PAGESIZE);
    const ElfW(Phdr) *header = (const ElfW(Phdr) *)(base + __ehdr_start.e_phoff);
    for (int left = __ehdr_start.e_phnum; left > 0; left--, header++) {
        if (header->p_type == PT_GNU_RELRO) {
            const uintptr_t start = (base + header->p_vaddr) & -page, end = (base + header->p_vaddr + header->p_memsz) & -page;
            if (start < end && mprotect((void *)start, end - start, PROT_READ) != 0) {
                abort();
            }
        }
    }
}
