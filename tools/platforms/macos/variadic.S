/* Darwin on aarch64 passes what is variadic on the stack, Linux in registers. On x86_64 both use the same registers. */
#if defined(__aarch64__)
#define FORWARD(name, ...) \
  .globl mac_##name; .type mac_##name, %function; mac_##name: __VA_ARGS__; b mac_##name##_
  .text
  FORWARD(open, ldr x2, [sp])
  FORWARD(fcntl, ldr x2, [sp])
  FORWARD(shm_open, ldr x2, [sp])
  FORWARD(snprintf, mov x3, sp)
  .section .note.GNU-stack, "", %progbits
#else
#define FORWARD(name) \
  .globl mac_##name; .type mac_##name, @function; mac_##name: jmp mac_##name##_@PLT
  .text
  FORWARD(open)
  FORWARD(fcntl)
  FORWARD(shm_open)
  .section .note.GNU-stack, "", @progbits
#endif
