@ Guest code whose host code is guarded by `hostcode.rs`. After `@@ family` each line is a case of its own, after
@ `@@ loop` all lines up to the next such mark are one. The words are in the comments; after a change here
@ `cargo test -p forearm-backend --test hostcode -- --ignored` assembles them anew with arm-linux-gnueabihf-as.
.syntax unified
.arch armv8-a
.arch_extension crc
.fpu crypto-neon-fp-armv8

@@ family data_processing
.arm
add r0, r1, r2                           @ e0810002
adds r0, r1, r2                          @ e0910002
add r0, r1, #1                           @ e2810001
subs r0, r0, #1                          @ e2500001
rsb r0, r1, #0                           @ e2610000
rsbs r0, r1, r2, lsl #3                  @ e0710182
adc r0, r1, r2                           @ e0a10002
adcs r0, r1, r2                          @ e0b10002
sbc r0, r1, r2                           @ e0c10002
sbcs r0, r1, #0                          @ e2d10000
rsc r0, r1, #0                           @ e2e10000
and r0, r1, #255                         @ e20100ff
ands r0, r1, r2                          @ e0110002
orr r0, r1, r2, lsl #8                   @ e1810402
eor r0, r1, r2, ror #16                  @ e0210862
eors r0, r1, r2, lsr #31                 @ e0310fa2
bic r0, r1, r2, asr #3                   @ e1c101c2
mvn r0, r1                               @ e1e00001
lsl r0, r1, #2                           @ e1a00101
lsrs r0, r1, #1                          @ e1b000a1
rrx r0, r1                               @ e1a00061
rrxs r0, r1                              @ e1b00061
lsl r0, r1, r2                           @ e1a00211
lsrs r0, r1, r2                          @ e1b00231
asrs r0, r1, r2                          @ e1b00251
ror r0, r1, r2                           @ e1a00271
add r0, r1, r2, lsl r3                   @ e0810312
cmp r0, #10                              @ e350000a
cmp r0, r1                               @ e1500001
cmn r0, #1                               @ e3700001
tst r0, #1                               @ e3100001
teq r0, r1                               @ e1300001
movw r0, #0x1234                         @ e3010234
movt r0, #0x1234                         @ e3410234
adr r0, .+64                             @ e28f0038
addeq r0, r1, r2                         @ 00810002
cmp r0, #0; movlt r0, #0                 @ e3500000 b3a00000
cmp r0, r1; movhi r0, r1                 @ e1500001 81a00001
cmp r0, r1; cmpeq r2, r3; addeq r0, r0, #1 @ e1500001 01520003 02800001
adds r0, r0, r2; adc r1, r1, r3          @ e0900002 e0a11003
subs r0, r0, r2; sbcs r1, r1, r3         @ e0500002 e0d11003
mrs r0, apsr                             @ e10f0000
msr apsr_nzcvq, r0                       @ e128f000

@@ family multiply_and_media
.arm
mul r0, r1, r2                           @ e0000291
muls r0, r1, r2                          @ e0100291
mla r0, r1, r2, r3                       @ e0203291
mls r0, r1, r2, r3                       @ e0603291
umull r0, r1, r2, r3                     @ e0810392
smlal r0, r1, r2, r3                     @ e0e10392
umaal r0, r1, r2, r3                     @ e0410392
smulbb r0, r1, r2                        @ e1600281
smlabt r0, r1, r2, r3                    @ e10032c1
smulwb r0, r1, r2                        @ e12002a1
smmulr r0, r1, r2                        @ e750f231
smlad r0, r1, r2, r3                     @ e7003211
sdiv r0, r1, r2                          @ e710f211
udiv r0, r1, r2                          @ e730f211
clz r0, r1                               @ e16f0f11
rbit r0, r1                              @ e6ff0f31
rev r0, r1                               @ e6bf0f31
rev16 r0, r1                             @ e6bf0fb1
revsh r0, r1                             @ e6ff0fb1
sxtb r0, r1                              @ e6af0071
uxth r0, r1, ror #8                      @ e6ff0471
uxtab r0, r1, r2                         @ e6e10072
uxtb16 r0, r1                            @ e6cf0071
bfi r0, r1, #4, #8                       @ e7cb0211
bfc r0, #8, #8                           @ e7cf041f
ubfx r0, r1, #4, #8                      @ e7e70251
sbfx r0, r1, #4, #8                      @ e7a70251
pkhbt r0, r1, r2, lsl #16                @ e6810812
ssat r0, #8, r1                          @ e6a70011
usat r0, #8, r1, asr #4                  @ e6e80251
qadd r0, r1, r2                          @ e1020051
uadd8 r0, r1, r2                         @ e6510f92
sel r0, r1, r2                           @ e6810fb2
usub8 r0, r1, r2                         @ e6510ff2
uqsub8 r0, r1, r2                        @ e6610ff2
usada8 r0, r1, r2, r3                    @ e7803211

@@ family load_and_store
.arm
ldr r0, [r1]                             @ e5910000
ldr r0, [r1, #4]!                        @ e5b10004
ldr r0, [r1], #4                         @ e4910004
ldr r0, [r1, r2, lsl #2]                 @ e7910102
ldr r0, [pc, #16]                        @ e59f0010
ldrb r0, [r1]                            @ e5d10000
ldrsb r0, [r1, #-1]                      @ e15100d1
ldrh r0, [r1, #2]                        @ e1d100b2
ldrsh r0, [r1, r2]                       @ e19100f2
ldrd r0, r1, [r2, #8]                    @ e1c200d8
str r0, [r1, #4]                         @ e5810004
strb r0, [r1], #1                        @ e4c10001
strh r0, [r1, r2]                        @ e18100b2
strd r0, r1, [sp, #-8]!                  @ e16d00f8
ldreq r0, [r1]                           @ 05910000
strne r0, [r1]                           @ 15810000
ldm r1!, {r0, r2, r3}                    @ e8b1000d
stm r1, {r0, r2-r6}                      @ e881007d
push {r4-r11, lr}                        @ e92d4ff0
pop {r4-r11, lr}                         @ e8bd4ff0
pld [r1, #64]                            @ f5d1f040

@@ family branches
.arm
b .+64                                   @ ea00000e
beq .+64                                 @ 0a00000e
bl .+64                                  @ eb00000e
blx r3                                   @ e12fff33
bx lr                                    @ e12fff1e
mov pc, lr                               @ e1a0f00e
ldr pc, [r1, r2, lsl #2]                 @ e791f102
pop {r4, pc}                             @ e8bd8010
cmp r0, #10; bne .+64                    @ e350000a 1a00000e
subs r0, r0, #1; bgt .+64                @ e2500001 ca00000e
tst r0, #1; beq .+64                     @ e3100001 0a00000e
svc #0                                   @ ef000000
udf #0                                   @ e7f000f0

@@ family thumb
.thumb
adds r0, r1, r2                          @ 1888
movs r0, #1                              @ 2001
lsls r0, r1, #3                          @ 00c8
cmp r0, #1                               @ 2801
ldr r0, [sp, #4]                         @ 9801
push {r4, lr}                            @ b510
pop {r4, pc}                             @ bd10
cbz r0, .+64                             @ b1f0
tbb [pc, r0]                             @ e8dff000
bl .+64                                  @ f000f81e
orn r0, r1, r2                           @ ea610002
addw r0, r1, #1000                       @ f20130e8
strd r0, r1, [r2], #8                    @ e8e20102
it eq; moveq r0, #1                      @ bf08 2001
cmp r0, #0; it lt; rsblt r0, r0, #0      @ 2800 bfb8 4240
cmp r0, r1; ite ge; movge r2, r0; movlt r2, r1 @ 4288 bfac 4602 460a
cmp r0, #5; itt eq; ldreq r0, [r1]; streq r0, [r2] @ 2805 bf04 6808 6010
tst r0, #4; itete ne; addne r1, r1, #1; subeq r1, r1, #1; movne r2, #0; moveq r2, #1 @ f0100f04 bf15 3101 3901 2200 2201
cmp r0, #9; it hi; bxhi lr               @ 2809 bf88 4770

@@ family exclusives_and_system
.arm
ldrex r0, [r1]                           @ e1910f9f
strex r0, r2, [r1]                       @ e1810f92
ldrexb r0, [r1]                          @ e1d10f9f
strexh r0, r2, [r1]                      @ e1e10f92
ldrexd r2, r3, [r1]                      @ e1b12f9f
strexd r0, r2, r3, [r1]                  @ e1a10f92
ldaex r0, [r1]                           @ e1910e9f
stlex r0, r2, [r1]                       @ e1810e92
lda r0, [r1]                             @ e1910c9f
stl r0, [r1]                             @ e181fc90
clrex                                    @ f57ff01f
dmb ish                                  @ f57ff05b
mrc p15, 0, r0, c13, c0, 3               @ ee1d0f70
nop                                      @ e320f000

@@ family vfp
.arm
vadd.f32 s0, s1, s2                      @ ee300a81
vadd.f64 d0, d1, d2                      @ ee310b02
vsub.f64 d0, d1, d2                      @ ee310b42
vmul.f64 d0, d1, d2                      @ ee210b02
vdiv.f64 d0, d1, d2                      @ ee810b02
vsqrt.f64 d0, d1                         @ eeb10bc1
vmla.f64 d0, d1, d2                      @ ee010b02
vfma.f64 d0, d1, d2                      @ eea10b02
vneg.f64 d0, d1                          @ eeb10b41
vabs.f32 s0, s1                          @ eeb00ae0
vcmp.f64 d0, d1                          @ eeb40b41
vcmp.f64 d0, d1; vmrs apsr_nzcv, fpscr   @ eeb40b41 eef1fa10
vcmpe.f32 s0, #0; vmrs apsr_nzcv, fpscr; blt .+64 @ eeb50ac0 eef1fa10 ba00000e
vcvt.s32.f64 s0, d1                      @ eebd0bc1
vcvt.f64.u32 d0, s1                      @ eeb80b60
vcvt.f32.f64 s0, d1                      @ eeb70bc1
vcvt.f64.f32 d0, s1                      @ eeb70ae0
vcvtr.s32.f32 s0, s1                     @ eebd0a60
vcvt.f32.s32 s0, s0, #8                  @ eeba0acc
vmov.f64 d0, #1.0                        @ eeb70b00
vmov.f64 d0, d1                          @ eeb00b41
vmov r0, s0                              @ ee100a10
vmov s0, r0                              @ ee000a10
vmov d0, r0, r1                          @ ec410b10
vmov r0, r1, d0                          @ ec510b10
vldr d0, [r0, #8]                        @ ed900b02
vstr s0, [r0]                            @ ed800a00
vldm r0!, {d0-d3}                        @ ecb00b08
vpush {d8-d11}                           @ ed2d8b08
vseleq.f64 d0, d1, d2                    @ fe010b02
vmaxnm.f64 d0, d1, d2                    @ fe810b02
vrinta.f64 d0, d1                        @ feb80b41
vmrs r0, fpscr                           @ eef10a10
vmsr fpscr, r0                           @ eee10a10

@@ family simd_integer
.arm
vadd.i32 q0, q1, q2                      @ f2220844
vadd.i8 d0, d1, d2                       @ f2010802
vsub.i64 q0, q1, q2                      @ f3320844
vmul.i16 q0, q1, q2                      @ f2120954
vmul.i8 q0, q1, q2                       @ f2020954
vmla.i32 q0, q1, q2                      @ f2220944
vmla.i32 q0, q1, d0[1]                   @ f3a20060
vmull.s16 q0, d2, d3                     @ f2920c03
vmlal.u8 q0, d2, d3                      @ f3820803
vqdmulh.s16 q0, q1, q2                   @ f2120b44
vqadd.s16 q0, q1, q2                     @ f2120054
vqsub.u32 q0, q1, q2                     @ f3220254
vhadd.u8 q0, q1, q2                      @ f3020044
vrhadd.u8 q0, q1, q2                     @ f3020144
vabd.u8 q0, q1, q2                       @ f3020744
vaba.s16 q0, q1, q2                      @ f2120754
vmax.s32 q0, q1, q2                      @ f2220644
vmin.u8 q0, q1, q2                       @ f3020654
vceq.i8 q0, q1, q2                       @ f3020854
vcgt.u16 q0, q1, q2                      @ f3120344
vclt.s32 q0, q1, #0                      @ f3b90242
vtst.8 q0, q1, q2                        @ f2020854
vand q0, q1, q2                          @ f2020154
veor d0, d1, d2                          @ f3010112
vbic q0, q1, q2                          @ f2120154
vorn q0, q1, q2                          @ f2320154
vbsl q0, q1, q2                          @ f3120154
vbif q0, q1, q2                          @ f3320154
vshl.i32 q0, q1, #3                      @ f2a30552
vshr.u8 q0, q1, #2                       @ f38e0052
vsra.s16 q0, q1, #4                      @ f29c0152
vrshr.s32 q0, q1, #5                     @ f2bb0252
vsli.32 q0, q1, #8                       @ f3a80552
vshl.s32 q0, q1, q2                      @ f2240442
vqshl.u16 q0, q1, q2                     @ f3140452
vshrn.i32 d0, q1, #8                     @ f2980812
vqrshrun.s16 d0, q1, #6                  @ f38a0852
vqmovn.s32 d0, q1                        @ f3b60282
vmovn.i16 d0, q1                         @ f3b20202
vmovl.u8 q0, d2                          @ f3880a12
vaddl.s16 q0, d2, d3                     @ f2920003
vaddw.u8 q0, q1, d4                      @ f3820104
vaddhn.i32 d0, q1, q2                    @ f2920404
vpadd.i16 d0, d1, d2                     @ f2110b12
vpaddl.u8 q0, q1                         @ f3b002c2
vpadal.u16 q0, q1                        @ f3b406c2
vpmax.u8 d0, d1, d2                      @ f3010a02
vcnt.8 q0, q1                            @ f3b00542
vclz.i32 q0, q1                          @ f3b804c2
vmvn q0, q1                              @ f3b005c2
vneg.s8 q0, q1                           @ f3b103c2
vabs.s16 q0, q1                          @ f3b50342
vmov.i32 q0, #0xff                       @ f387005f
vdup.32 q0, r0                           @ eea00b10

@@ family simd_float
.arm
vadd.f32 q0, q1, q2                      @ f2020d44
vsub.f32 d0, d1, d2                      @ f2210d02
vmul.f32 q0, q1, q2                      @ f3020d54
vmul.f32 q0, q1, d0[0]                   @ f3a20940
vmla.f32 q0, q1, q2                      @ f2020d54
vfma.f32 q0, q1, q2                      @ f2020c54
vmax.f32 q0, q1, q2                      @ f2020f44
vabd.f32 q0, q1, q2                      @ f3220d44
vpadd.f32 d0, d1, d2                     @ f3010d02
vceq.f32 q0, q1, q2                      @ f2020e44
vcge.f32 q0, q1, #0                      @ f3b904c2
vcvt.s32.f32 q0, q1                      @ f3bb0742
vcvt.f32.u32 q0, q1                      @ f3bb06c2
vneg.f32 q0, q1                          @ f3b907c2
vrecpe.f32 q0, q1                        @ f3bb0542
vrsqrts.f32 q0, q1, q2                   @ f2220f54

@@ family simd_permutes
.arm
vext.8 q0, q1, q2, #5                    @ f2b20544
vrev64.8 q0, q1                          @ f3b00042
vrev32.16 q0, q1                         @ f3b400c2
vtrn.32 q0, q1                           @ f3ba00c2
vzip.8 q0, q1                            @ f3b201c2
vuzp.16 q0, q1                           @ f3b60142
vswp q0, q1                              @ f3b20042
vtbl.8 d0, {d2, d3}, d4                  @ f3b20904
vtbx.8 d0, {d2}, d4                      @ f3b20844
vdup.16 q0, d2[1]                        @ f3b60c42
vmov.u8 r0, d0[3]                        @ eed00b70
vmov.32 d0[1], r0                        @ ee200b10

@@ family simd_memory
.arm
vld1.8 {d0}, [r0]                        @ f420070f
vld1.32 {d0-d3}, [r0]!                   @ f420028d
vld1.16 {d0[2]}, [r0]                    @ f4a0048f
vld1.32 {d0[], d1[]}, [r0]               @ f4a00caf
vld2.8 {d0, d1}, [r0]!                   @ f420080d
vld3.8 {d0, d1, d2}, [r0]!               @ f420040d
vld4.16 {d0, d2, d4, d6}, [r0]           @ f420014f
vst1.64 {d0, d1}, [r0]!                  @ f4000acd
vst1.32 {d0[1]}, [r0], r2                @ f4800882
vst2.16 {d0-d3}, [r0]                    @ f400034f
vst4.8 {d0[3], d1[3], d2[3], d3[3]}, [r0] @ f480036f

@@ family crypto_and_crc
.arm
aese.8 q0, q1                            @ f3b00302
aesmc.8 q0, q1                           @ f3b00382
aese.8 q0, q1; aesmc.8 q0, q0            @ f3b00302 f3b00380
sha1c.32 q0, q1, q2                      @ f2020c44
sha256h.32 q0, q1, q2                    @ f3020c44
sha256su0.32 q0, q1                      @ f3ba03c2
vmull.p64 q0, d2, d3                     @ f2a20e03
vmull.p8 q0, d2, d3                      @ f2820e03
crc32b r0, r1, r2                        @ e1010042
crc32w r0, r1, r2                        @ e1410042
crc32cw r0, r1, r2                       @ e1410242

@@ loop memcpy
.thumb                                   @ f8113b01 f8003b01 3a01 d1f9 4770
1: ldrb r3, [r1], #1
   strb r3, [r0], #1
   subs r2, r2, #1
   bne 1b
   bx lr

@@ loop memcpy_blocks
.arm                                     @ e8b11778 e2522020 e8a01778 cafffffb e12fff1e
1: ldm r1!, {r3-r6, r8-r10, r12}
   subs r2, r2, #32
   stm r0!, {r3-r6, r8-r10, r12}
   bgt 1b
   bx lr

@@ loop memcpy_neon
.arm                                     @ f421020d e2522020 f400020d cafffffb e12fff1e
1: vld1.8 {d0-d3}, [r1]!
   subs r2, r2, #32
   vst1.8 {d0-d3}, [r0]!
   bgt 1b
   bx lr

@@ loop strlen
.arm                                     @ e1a01000 e4d12001 e3520000 1afffffc e0410000 e2400001 e12fff1e
   mov r1, r0
1: ldrb r2, [r1], #1
   cmp r2, #0
   bne 1b
   sub r0, r1, r0
   sub r0, r0, #1
   bx lr

@@ loop strlen_words
.thumb                                   @ e8f02302 fa82f24c faa4f28c fa83f34c faa2f38c 2b00 d0f3 4770
1:  ldrd r2, r3, [r0], #8
    uadd8 r2, r2, r12
    sel r2, r4, r12
    uadd8 r3, r3, r12
    sel r3, r2, r12
    cmp r3, #0
    beq 1b
    bx lr

@@ loop strcmp
.thumb                                   @ f8102b01 f8113b01 2a01 bf28 429a d0f7 1ad0 4770
1: ldrb r2, [r0], #1
   ldrb r3, [r1], #1
   cmp r2, #1
   it cs
   cmpcs r2, r3
   beq 1b
   subs r0, r2, r3
   bx lr

@@ loop checksum
.arm                                     @ e4d03001 e0822003 e08cc002 e2511001 1afffffa e12fff1e
1: ldrb r3, [r0], #1
   add r2, r2, r3
   add r12, r12, r2
   subs r1, r1, #1
   bne 1b
   bx lr

@@ loop crc_table
.thumb                                   @ f8113b01 4043 b2db f8543023 ea832010 3a01 d1f5 4770
1: ldrb r3, [r1], #1
   eors r3, r0
   uxtb r3, r3
   ldr r3, [r4, r3, lsl #2]
   eor r0, r3, r0, lsr #8
   subs r2, #1
   bne 1b
   bx lr

@@ loop sum_64_bit
.arm                                     @ e0c240d8 e0900004 e0a11005 e1520003 1afffffa e12fff1e
1: ldrd r4, r5, [r2], #8
   adds r0, r0, r4
   adc r1, r1, r5
   cmp r2, r3
   bne 1b
   bx lr

@@ loop matrix_multiply
.thumb                                   @ f8504b04 680d 4431 fb042205 3b01 d1f7 f8472b04 f04f0200 4643 fb080009 f1ba0a01 d1ed 4770
1: ldr r4, [r0], #4
   ldr r5, [r1]
   add r1, r6
   mla r2, r4, r5, r2
   subs r3, #1
   bne 1b
   str r2, [r7], #4
   mov r2, #0
   mov r3, r8
   mla r0, r8, r9, r0
   subs r10, r10, #1
   bne 1b
   bx lr

@@ loop bubble_sort
.thumb                                   @ 4602 2500 e9d23400 42a3 bfc4 e9c24300 2501 3204 428a d1f5 2d00 d1f1 4770
2: mov r2, r0
   movs r5, #0
1: ldrd r3, r4, [r2]
   cmp r3, r4
   itt gt
   strdgt r4, r3, [r2]
   movgt r5, #1
   adds r2, #4
   cmp r2, r1
   bne 1b
   cmp r5, #0
   bne 2b
   bx lr

@@ loop binary_search
.arm                                     @ e1510002 212fff1e e0813002 e1a030a3 e790c103 e15c0004 32831001 21a02003 eafffff6
1: cmp r1, r2
   bxcs lr
   add r3, r1, r2
   lsr r3, r3, #1
   ldr r12, [r0, r3, lsl #2]
   cmp r12, r4
   addcc r1, r3, #1
   movcs r2, r3
   b 1b

@@ loop dot_product_f32
.arm                                     @ ed901a00 edd11a00 e2800004 e2811004 ee010a21 e2522001 1afffff8 e12fff1e
1: vldr s2, [r0]
   vldr s3, [r1]
   add r0, r0, #4
   add r1, r1, #4
   vmla.f32 s0, s2, s3
   subs r2, r2, #1
   bne 1b
   bx lr

@@ loop dot_product_f64
.arm                                     @ ecb02b02 ecb13b02 ee222b03 e2522001 ee300b02 1afffff9 e12fff1e
1: vldmia r0!, {d2}
   vldmia r1!, {d3}
   vmul.f64 d2, d2, d3
   subs r2, r2, #1
   vadd.f64 d0, d0, d2
   bne 1b
   bx lr

@@ loop dot_product_neon
.arm                                     @ f4204a8d f4216a8d e2522004 f2040d56 cafffffa f3000d01 f3000d00 e12fff1e
1: vld1.32 {d4, d5}, [r0]!
   vld1.32 {d6, d7}, [r1]!
   subs r2, r2, #4
   vmla.f32 q0, q2, q3
   bgt 1b
   vpadd.f32 d0, d0, d1
   vpadd.f32 d0, d0, d0
   bx lr

@@ loop sum_of_bytes_neon
.arm                                     @ f4202a0d f3b022c2 e2511010 f3b406c2 cafffffa e12fff1e
1: vld1.8 {d2, d3}, [r0]!
   vpaddl.u8 q1, q1
   subs r1, r1, #16
   vpadal.u16 q0, q1
   bgt 1b
   bx lr

@@ loop mandelbrot
.arm                                     @ ee224b02 ee235b03 ee346b05 eeb46bc7 eef1fa10 c12fff1e ee223b03 ee344b45 ee333b03 ee342b00 ee333b01 e2500001 1afffff2 e12fff1e
1: vmul.f64 d4, d2, d2
   vmul.f64 d5, d3, d3
   vadd.f64 d6, d4, d5
   vcmpe.f64 d6, d7
   vmrs apsr_nzcv, fpscr
   bxgt lr
   vmul.f64 d3, d2, d3
   vsub.f64 d4, d4, d5
   vadd.f64 d3, d3, d3
   vadd.f64 d2, d4, d0
   vadd.f64 d3, d3, d1
   subs r0, r0, #1
   bne 1b
   bx lr

@@ loop dispatch
.arm                                     @ e4d43001 e795f103 e0800001 eafffffb e0400001 eafffff9
1: ldrb r3, [r4], #1
   ldr pc, [r5, r3, lsl #2]
   add r0, r0, r1
   b 1b
   sub r0, r0, r1
   b 1b

@@ loop dispatch_tbb
.thumb                                   @ f8143b01 2b02 d802 e8dff003 0302 4770
1: ldrb r3, [r4], #1
   cmp r3, #2
   bhi 2f
   tbb [pc, r3]
   .byte 2, 3
2: bx lr

@@ loop fibonacci
.thumb                                   @ 2801 dd0a b530 4604 3801 f7fffff9 4605 1ea0 f7fffff5 4428 bd30 4770
9: cmp r0, #1
   ble 1f
   push {r4, r5, lr}
   mov r4, r0
   subs r0, #1
   bl 9b
   mov r5, r0
   subs r0, r4, #2
   bl 9b
   add r0, r5
   pop {r4, r5, pc}
1: bx lr

@@ loop spin_lock
.arm                                     @ e1901f9f e3510000 01801f92 03510000 1afffffa f57ff05b e12fff1e
1: ldrex r1, [r0]
   cmp r1, #0
   strexeq r1, r2, [r0]
   cmpeq r1, #0
   bne 1b
   dmb ish
   bx lr

@@ loop atomic_add
.thumb                                   @ e8502f00 440a e8402300 2b00 d1f8 4770
1: ldrex r2, [r0]
   add r2, r1
   strex r3, r2, [r0]
   cmp r3, #0
   bne 1b
   bx lr

@@ loop wait_for_flag
.arm                                     @ e5901000 e3510000 0afffffc e12fff1e
1: ldr r1, [r0]
   cmp r1, #0
   beq 1b
   bx lr

@@ loop greatest_common_divisor
.arm                                     @ e1500001 c0400001 b0411000 1afffffb e12fff1e
1: cmp r0, r1
   subgt r0, r0, r1
   sublt r1, r1, r0
   bne 1b
   bx lr

@@ loop decimal_digits
.thumb                                   @ fbb0f2f3 fb030412 3430 f8014d01 2809 4610 d8f5 4770
1: udiv r2, r0, r3
   mls r4, r3, r2, r0
   adds r4, #48
   strb r4, [r1, #-1]!
   cmp r0, #9
   mov r0, r2
   bhi 1b
   bx lr

@@ loop linked_list
.thumb                                   @ 6842 4411 6800 2800 d1fa 4770
1: ldr r2, [r0, #4]
   add r1, r2
   ldr r0, [r0]
   cmp r0, #0
   bne 1b
   bx lr

@@ loop sha256_round
.arm                                     @ e4998004 e024a2e4 e02aa9e4 e0877008 e025b006 e00bb004 e087736a e02bb006 e087700b e0833007 e25cc001 1afffff3 e12fff1e
1: ldr r8, [r9], #4
   eor r10, r4, r4, ror #5
   eor r10, r10, r4, ror #19
   add r7, r7, r8
   eor r11, r5, r6
   and r11, r11, r4
   add r7, r7, r10, ror #6
   eor r11, r11, r6
   add r7, r7, r11
   add r3, r3, r7
   subs r12, r12, #1
   bne 1b
   bx lr
