// Blocks of threads as threads of this process, and a program that runs a kernel on them: what the race checks share.
// Included after the kernel.
//
//     PROGRAM ENTRY THREADS BLOCKS [FILE:LINE] < case > results
//
// ENTRY is one of the kernel's; FILE:LINE names a __syncthreads() to leave out, which must then be reported.
//
// case, in native byte order: struct Conductor and the kernel's own, pointers unread; int64, how many arrays they point
// to; for each int64 structure (0 or 1), int64 offset of the pointer in it, int64 bytes, and the bytes; int64 count;
// count uint32 realizations; int64, whether onsite energies are given, then (count, slices, sites) of them; int64,
// whether T_n are asked for. results: (count, recorded, FIELDS) float64; where T_n are asked for, (count, recorded,
// channels) float64.
#pragma once
#include <pthread.h>

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <thread>
#include <vector>

static std::string left_out;  // file:line of a __syncthreads() that does nothing
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

// What a program was told. Inputs: the kernel's own structure.
template <typename Inputs>
struct Case {
  Conductor s;
  Inputs f;
  std::vector<std::vector<double>> arrays;
  int64 count;
  std::vector<uint32> realizations;
  std::vector<double> given;
  bool eigenvalues;
};

template <typename Inputs>
static Case<Inputs> read_case() {
  Case<Inputs> c;
  c.s = read<Conductor>(1)[0];
  c.f = read<Inputs>(1)[0];
  for (int64 left = read<int64>(1)[0]; left > 0; left--) {
    const auto place = read<int64>(3);
    const auto bytes = read<char>(place[2]);
    c.arrays.emplace_back((place[2] + 7) / 8);
    const void* array = c.arrays.back().data();
    std::memcpy(c.arrays.back().data(), bytes.data(), bytes.size());
    std::memcpy((place[0] ? (char*)&c.f : (char*)&c.s) + place[1], &array, sizeof array);
  }
  c.count = read<int64>(1)[0];
  c.realizations = read<uint32>(c.count);
  if (read<int64>(1)[0]) c.given = read<double>(c.count * c.s.slices * c.s.sites);
  c.eigenvalues = read<int64>(1)[0] != 0;
  return c;
}

// The program. launch(entry, blocks, threads, shared doubles, case, workspace, fields, values) returns 0, or 1 where
// there is no such entry; parts(case) is the numbers of the near and of the far part of a workspace.
template <typename Inputs, typename Parts, typename Launch>
static int check(int count_of_arguments, char** arguments, Parts parts, Launch launch) {
  if (count_of_arguments < 4) fail("usage: PROGRAM ENTRY THREADS BLOCKS [FILE:LINE] < case > results");
  const std::string entry = arguments[1];
  const int threads = std::atoi(arguments[2]), blocks = std::atoi(arguments[3]);
  if (threads < 1 || threads > MOST_THREADS || blocks < 1) fail("THREADS or BLOCKS out of range");
  if (count_of_arguments > 4) left_out = arguments[4];
  const Case<Inputs> c = read_case<Inputs>();
  int64 sizes[2];
  parts(c.s, c.f, sizes);
  auto workspace = unwritten(blocks * (sizes[0] + sizes[1]));
  std::vector<double> fields(c.count * c.s.recorded * FIELDS, NAN);
  std::vector<double> values(c.eigenvalues ? c.count * c.s.recorded * c.s.channels : 0, NAN);
  const size_t shared = entry == "shared" ? sizes[0] + sizes[1] : entry == "split" ? sizes[0] : 0;
  if (launch(arguments[1], blocks, threads, shared, &c.s, &c.f, c.count, c.realizations.data(),
             c.given.empty() ? nullptr : c.given.data(), aligned(workspace), fields.data(),
             c.eigenvalues ? values.data() : nullptr))
    fail("ENTRY is shared, split or global");
  std::fwrite(fields.data(), sizeof(double), fields.size(), stdout);
  std::fwrite(values.data(), sizeof(double), values.size(), stdout);
  return 0;
}
