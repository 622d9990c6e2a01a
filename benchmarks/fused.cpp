// Independent chains of fused multiply-adds on vectors as wide as the kernels': the most that one core can do.
#ifdef __AVX512F__
#define LANES 8
#define CHAINS 16
#else
#define LANES 4
#define CHAINS 12
#endif
typedef double wide __attribute__((vector_size(8 * LANES)));

extern "C" {
// Floating-point operations of one round.
int fused_operations() { return 2 * LANES * CHAINS; }

// a <- a factor + term, `rounds` times in every chain; the sum of all, so that nothing can be left out.
double fused_chains(long rounds, double factor, double term) {
  wide chain[CHAINS], sum = {};
  for (int k = 0; k < CHAINS; k++) chain[k] = sum + 0.001 * k;
  for (long round = 0; round < rounds; round++)
#pragma GCC unroll 16
    for (int k = 0; k < CHAINS; k++) chain[k] = chain[k] * factor + term;
  for (int k = 0; k < CHAINS; k++) sum += chain[k];
  double total = 0.0;
  for (int lane = 0; lane < LANES; lane++) total += sum[lane];
  return total;
}
}
