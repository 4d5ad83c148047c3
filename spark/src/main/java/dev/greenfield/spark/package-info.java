/**
 * Greenfield on Apache Spark: response maps, sensitivities, predictions and studies of prompts that are rows of a Dataset. Executors
 * hold one model each and write what they find to files; the driver sees numbers and paths. What is computed of a prompt is the
 * library's business; here is only where and when.
 */
package dev.greenfield.spark;
