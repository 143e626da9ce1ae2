@ An integer loop of ten instructions with a load, a store and a branch; with an argument 30 million rounds, without
@ one none. What a run takes less than the other is the interpreter's time for 300 million instructions.
        .arch   armv7-a
        .text
        .global _start
_start:
        ldr     r6, [sp]
        cmp     r6, #2
        movlt   r5, #1
        ldrge   r5, =30000000
        ldr     r4, =table
        mov     r0, #1
        mov     r3, #0
1:      eor     r0, r0, r0, lsl #13
        eor     r0, r0, r0, lsr #17
        eor     r0, r0, r0, lsl #5
        and     r1, r0, #252
        ldr     r2, [r4, r1]
        add     r2, r2, r0
        str     r2, [r4, r1]
        add     r3, r3, r2
        subs    r5, r5, #1
        bne     1b
        mov     r0, #0
        mov     r7, #1
        svc     #0

        .bss
        .align  2
table:  .space  256
