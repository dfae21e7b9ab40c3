"""What the Play screen is made of, one layer on the other: choosing a model, reading along, writing completions."""
