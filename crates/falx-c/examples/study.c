/* Prints what a model says of studies, as JSON: study PATH [MODEL]
 *
 *   cargo build --release -p falx-c
 *   cc crates/falx-c/examples/study.c -I crates/falx-c/include -L target/release -lfalx_c -Wl,-rpath,target/release -o study
 *   ./study FOLDER
 */
#include <stdio.h>

#include "falx.h"

/* Says why it failed. */
static int failed(char *error)
{
    fprintf(stderr, "%s\n", error);
    falx_string_free(error);
    return 1;
}

int main(int count, char **words)
{
    if (count < 2) {
        fprintf(stderr, "usage: %s PATH [MODEL]\n", words[0]);
        return 2;
    }
    char *error = NULL;
    FalxDetector_t *detector = falx_detector_load(count > 2 ? words[2] : NULL, 0, &error);
    if (!detector)
        return failed(error);
    /* Ask for as many studies as there are: the networks stay loaded. */
    char *answer = falx_detector_study(detector, words[1], &error);
    falx_detector_free(detector);
    if (!answer)
        return failed(error);
    puts(answer);
    falx_string_free(answer);
    return 0;
}
