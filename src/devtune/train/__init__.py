"""Fine-tuning: dataset/ → adapter/, through TRL on accelerate and DeepSpeed."""
