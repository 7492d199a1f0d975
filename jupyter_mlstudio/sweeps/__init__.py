"""What a sweep decides with: Optuna's samplers and pruners over the studio's search spaces."""
