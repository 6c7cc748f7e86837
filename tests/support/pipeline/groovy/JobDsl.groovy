/** placeholder */
class JobDsl { JobDsl(Wire w, Map s) {}; void run() {} }
