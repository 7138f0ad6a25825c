import { createRoot } from 'react-dom/client';

import '../styles/index.css';
import { Dashboard } from './Dashboard';
import './dashboard.css';

const root = document.getElementById('root');
if (root) createRoot(root).render(<Dashboard />);
