"""Work beside the requests: jobs, processes of their own, answers worked out once for many, beginnings and ends."""
