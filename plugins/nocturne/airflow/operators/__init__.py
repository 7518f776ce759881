"""One operator for each kind of task. They call steps, and tell Airflow how those ended."""
