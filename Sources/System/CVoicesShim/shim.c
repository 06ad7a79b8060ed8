#include "CVoicesShim.h"
