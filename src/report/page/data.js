// The data: what stands in the table.
