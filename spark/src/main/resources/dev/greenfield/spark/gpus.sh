#!/bin/sh
# Says which NVIDIA GPUs a machine has, in the form that Spark's resource discovery wants. The numbers are those of the PCI bus; CUDA
# counts the fastest first unless the executors have CUDA_DEVICE_ORDER=PCI_BUS_ID (spark.executorEnv.CUDA_DEVICE_ORDER).
set -e
numbers=$(nvidia-smi --query-gpu=index --format=csv,noheader)
printf '{"name": "gpu", "addresses": [%s]}\n' "$(printf '%s\n' "$numbers" | sed 's/.*/"&"/' | paste -sd, -)"
