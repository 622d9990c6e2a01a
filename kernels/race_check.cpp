// The race check: the transmission kernel with a thread of this process for each thread of a block, under
// ThreadSanitizer.
//
//     c++ -std=c++17 -O1 -g -fsanitize=thread -I kernels kernels/race_check.cpp -o race_check -pthread
//     race_check ENTRY THREADS BLOCKS [FILE:LINE] < case > results
//
// ENTRY is shared, split or global, as the kernel's entries; FILE:LINE names a __syncthreads() to leave out, which must
// then be reported. A number that two threads touch with no barrier in between is a race in whatever order they came,
// so a few threads and small sizes show what many would. As a shared library, without the sanitizer, it is a slow GPU.
//
// case, in native byte order: struct Strip (pointers unread); then lengths, law_kinds, law_parameters, twist, start,
// start_history, incoming, outgoing as in `Strip`; int64 count; count uint32 realizations; int64, whether T_n are
// asked for. results: (count, recorded, FIELDS) float64; where T_n are asked for, (count, recorded, channels) float64.
#ifndef MESOGPU_RACE_CHECK
#define MESOGPU_RACE_CHECK
#endif
#include "transmission.cu"

#include <pthread.h>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

static std::string left_out;
static thread_local pthread_barrier_t* barriers;
static thread_local unsigned barriers_passed;

// Two barriers in turn: one that is used again at once orders more than __syncthreads does, and hides races.
static void block_barrier(const char* file, int line) {
  if (!left_out.empty()) {
    const std::string path = file, place = path.substr(path.find_last_of('/') + 1) + ":" + std::to_string(line);
    if (place == left_out) return;
  }
  pthread_barrier_wait(&barriers[barriers_passed++ % 2]);
}

static void fail(const char* what) {
  std::fprintf(stderr, "race_check: %s\n", what);
  std::exit(2);
}

template <typename T>
static std::vector<T> read(size_t count) {
  std::vector<T> values(count);
  if (std::fread(values.data(), sizeof(T), count, stdin) != count) fail("the case ends too early");
  return values;
}

// A number that was never written shows in the results.
static std::vector<double> unwritten(size_t count) { return std::vector<double>(count + 1, NAN); }

static double* aligned(std::vector<double>& memory) {
  return memory.data() + (reinterpret_cast<uintptr_t>(memory.data()) % 16 ? 1 : 0);
}

// All blocks at once, each with barriers and shared memory of its own.
template <typename Kernel>
static void run_blocks(int blocks, int threads, size_t shared_doubles, Kernel kernel) {
  blockDim = {threads};
  gridDim = {blocks};
  std::vector<pthread_barrier_t> own_barriers(2 * blocks);
  for (auto& barrier : own_barriers) pthread_barrier_init(&barrier, nullptr, threads);
  std::vector<std::vector<double>> own_memory(blocks, unwritten(shared_doubles));
  std::vector<std::thread> running;
  for (int block = 0; block < blocks; block++)
    for (int index = 0; index < threads; index++)
      running.emplace_back([=, &own_barriers, &own_memory] {
        threadIdx = {index};
        blockIdx = {block};
        barriers = &own_barriers[2 * block];
        shared_memory = aligned(own_memory[block]);
        kernel();
      });
  for (auto& thread : running) thread.join();
  for (auto& barrier : own_barriers) pthread_barrier_destroy(&barrier);
}

extern "C" {

// Doubles of the near and of the far part of a workspace.
void workspace_parts(const Strip* s, int64 parts[2]) {
  parts[0] = near_reals(*s);
  parts[1] = far_reals(*s);
}

// One launch; pointers are to this process's memory. Returns 0, or 1 for an unknown entry.
int launch(const char* name, int blocks, int threads, int64 shared_doubles, const Strip* strip, int64 count,
           const uint32* realizations, double* workspace, double* fields, double* values) {
  const std::string entry = name;
  const Strip s = *strip;
  const auto run = [=](auto kernel) {
    run_blocks(blocks, threads, shared_doubles, [=] { kernel(s, count, realizations, workspace, fields, values); });
    return 0;
  };
  if (entry == "shared") return run(transmission_shared);
  if (entry == "split") return run(transmission_split);
  if (entry == "global") return run(transmission_global);
  return 1;
}
}

int main(int count_of_arguments, char** arguments) {
  if (count_of_arguments < 4) fail("usage: race_check ENTRY THREADS BLOCKS [FILE:LINE] < case > results");
  const std::string entry = arguments[1];
  const int threads = std::atoi(arguments[2]), blocks = std::atoi(arguments[3]);
  if (threads < 1 || threads > MOST_THREADS || blocks < 1) fail("THREADS or BLOCKS out of range");
  if (count_of_arguments > 4) left_out = arguments[4];

  Strip s = read<Strip>(1)[0];
  const size_t width = s.width, channels = s.channels;
  const auto lengths = read<int>(s.recorded), law_kinds = read<int>(s.laws);
  const auto law_parameters = read<double>(s.laws * LAW_PARAMETERS), twist = read<double>(2 * width);
  const auto start = read<double>(4 * width * width), start_history = read<double>(2 * channels * channels);
  const auto incoming = read<double>(4 * width * width), outgoing = read<double>(4 * channels * width);
  const int64 count = read<int64>(1)[0];
  const auto realizations = read<uint32>(count);
  const bool eigenvalues_asked = read<int64>(1)[0] != 0;
  s.lengths = lengths.data();
  s.law_kinds = law_kinds.data();
  s.law_parameters = law_parameters.data();
  s.twist = twist.data();
  s.start = start.data();
  s.start_history = start_history.data();
  s.incoming = incoming.data();
  s.outgoing = outgoing.data();

  const size_t near = near_reals(s), far = far_reals(s);
  auto workspace = unwritten(blocks * (near + far));
  std::vector<double> fields(count * s.recorded * FIELDS, NAN);
  std::vector<double> values(eigenvalues_asked ? count * s.recorded * channels : 0, NAN);
  const size_t shared = entry == "shared" ? near + far : entry == "split" ? near : 0;
  if (launch(arguments[1], blocks, threads, shared, &s, count, realizations.data(), aligned(workspace), fields.data(),
             eigenvalues_asked ? values.data() : nullptr))
    fail("ENTRY is shared, split or global");
  std::fwrite(fields.data(), sizeof(double), fields.size(), stdout);
  std::fwrite(values.data(), sizeof(double), values.size(), stdout);
  return 0;
}
