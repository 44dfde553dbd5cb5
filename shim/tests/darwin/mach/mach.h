/* See darwin.h. */
typedef unsigned mach_port_t, mach_msg_type_number_t;
typedef unsigned long vm_size_t;
typedef struct {
  unsigned wire_count, compressor_page_count, internal_page_count, purgeable_count;
} vm_statistics64_data_t;
typedef int *host_info64_t;
enum { KERN_SUCCESS, HOST_VM_INFO64, HOST_VM_INFO64_COUNT };
static inline mach_port_t mach_host_self(void) { return 1; }
static inline mach_port_t mach_task_self(void) { return 2; }
static inline int mach_port_deallocate(mach_port_t task, mach_port_t port) { return (int)(task + port) * 0; }
static inline int host_page_size(mach_port_t host, vm_size_t *out) {
  (void)host;
  *out = 16384;
  return KERN_SUCCESS;
}
static inline int host_statistics64(mach_port_t host, int what, host_info64_t out, mach_msg_type_number_t *count) {
  (void)host, (void)what, (void)count;
  *(vm_statistics64_data_t *)out = (vm_statistics64_data_t){100000, 1000, 200000, 1000};
  return KERN_SUCCESS;
}
